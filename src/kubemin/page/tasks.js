// All tasks, newest first, page by page; one of them below its id.

import { html, useState } from "./vendor/htm-preact.js";
import { Loaded, State, Time } from "./parts.js";
import { get } from "./server.js";
import { Task } from "./task/task.js";
import { link, useLive } from "./use.js";
import { say } from "./words.js";

const SIZE = 50;
const STATUSES = ["waiting", "queued", "running", "completed", "failed", "timeout", "cancelled"];

export const Tasks = ({ parts }) => (parts.length ? html`<${Task} key=${parts[0]} id=${parts[0]} />` : html`<${List} />`);

function List() {
  const [status, choose] = useState("");
  const [page, turn] = useState(1);
  const found = useLive((signal) => get("tasks", { status, page, pageSize: SIZE }, signal), [status, page]);
  const change = (event) => {
    choose(event.target.value);
    turn(1);
  };
  return html`
    <h1>${say("tasks")}</h1>
    <p>
      <label>
        ${say("status")}${" "}
        <select value=${status} onChange=${change}>
          <option value="">${say("any")}</option>
          ${STATUSES.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
        </select>
      </label>
    </p>
    <${Loaded} from=${found}>
      ${(value) => html`<${Table} rows=${value.tasks} /><${Pages} of=${value} turn=${turn} />`}
    <//>
  `;
}

function Table({ rows }) {
  if (rows.length === 0) return html`<p>${say("noTasks")}</p>`;
  return html`
    <div class="wide" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">${say("task")}</th>
            <th scope="col">${say("application")}</th>
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
                <td><${State} of=${one.status} /></td>
                <td>${one.cleanup === "none" ? "" : html`<${State} of=${one.cleanup} />`}</td>
                <td><${Time} at=${one.startTime ?? one.createTime} /></td>
                <td><${Time} at=${one.endTime} /></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

function Pages({ of: { total, page, pageSize }, turn }) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  return html`
    <nav class="pages" aria-label=${say("pages")}>
      <button type="button" disabled=${page <= 1} onClick=${() => turn(page - 1)}>${say("newer")}</button>
      <span>${say("pageOf", page, last, total)}</span>
      <button type="button" disabled=${page >= last} onClick=${() => turn(page + 1)}>${say("older")}</button>
    </nav>
  `;
}
