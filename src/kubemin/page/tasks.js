// All tasks, newest first, page by page; one of them below its id.

import { html, useState } from "./vendor/htm-preact.js";
import { Loaded, More, State, StatusFilter, Time, Wide } from "./parts.js";
import { ClusterFilter, useClusters } from "./clusters.js";
import { get } from "./server.js";
import { Task } from "./task/task.js";
import { link, useLive } from "./use.js";
import { say } from "./words.js";

const SIZE = 50;

export const Tasks = ({ parts: [id] }) => (id ? html`<${Task} key=${id} id=${id} />` : html`<${List} />`);

function List() {
  const [wanted, want] = useState({ status: "", cluster: "" });
  const [cursors, turn] = useState([]); // those that led to this page, the last one to it
  const after = cursors.at(-1);
  const found = useLive(
    (signal) => get("tasks", { ...wanted, after, pageSize: SIZE }, signal),
    [...Object.values(wanted), after],
  );
  const clusters = useClusters();
  const change = (name) => (value) => {
    want((last) => ({ ...last, [name]: value }));
    turn([]);
  };
  return html`
    <h1>${say("tasks")}</h1>
    <search class="filters">
      <${StatusFilter} word="status" value=${wanted.status} choose=${change("status")} />
      <${ClusterFilter} of=${clusters} value=${wanted.cluster} choose=${change("cluster")} />
    </search>
    <${Loaded} from=${found}>
      ${({ tasks, nextCursor }) => html`
        <${Table} rows=${tasks} several=${clusters.length > 1} />
        <${More} cursors=${cursors} next=${nextCursor} turn=${turn} />
      `}
    <//>
  `;
}

function Table({ rows, several }) {
  if (rows.length === 0) return html`<p>${say("noTasks")}</p>`;
  return html`
    <${Wide} name=${say("tasks")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("task")}</th>
            <th scope="col">${say("application")}</th>
            ${several && html`<th scope="col">${say("cluster")}</th>`}
            <th scope="col">${say("status")}</th>
            <th scope="col">${say("cleanup")}</th>
            <th scope="col">${say("began")}</th>
            <th scope="col">${say("ended")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (one) => html`
              <tr key=${one.id}>
                <th scope="row"><a href=${link("tasks", one.id)}>${one.id.slice(0, 8)}</a></th>
                <td><a href=${link("applications", one.appId)}>${one.name}</a></td>
                ${several && html`<td>${one.cluster}</td>`}
                <td><${State} of=${one.status} /></td>
                <td>${one.cleanup === "none" ? "" : html`<${State} of=${one.cleanup} />`}</td>
                <td><${Time} at=${one.startTime ?? one.createTime} /></td>
                <td><${Time} at=${one.endTime} /></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    <//>
  `;
}
