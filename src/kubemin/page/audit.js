// Who changed what, newest first, refused calls too.

import { html, useState } from "./vendor/htm-preact.js";
import { Loaded, More, State, Time, Wide } from "./parts.js";
import { ClusterFilter, useClusters } from "./clusters.js";
import { get } from "./server.js";
import { link, useLive } from "./use.js";
import { say } from "./words.js";

const SIZE = 50;
const OUTCOMES = ["done", "refused", "failed", "unanswered"];
const EMPTY = { caller: "", operation: "", cluster: "", app: "", requestId: "", outcome: "" };

export function Audit() {
  const [wanted, want] = useState(EMPTY);
  const [cursors, turn] = useState([]);
  const after = cursors.at(-1);
  const found = useLive(
    (signal) => get("audit", { ...wanted, after, pageSize: SIZE }, signal),
    [...Object.values(wanted), after],
  );
  const clusters = useClusters();
  const set = (name) => (value) => {
    want({ ...wanted, [name]: value.trim() });
    turn([]);
  };
  const change = (name) => (event) => set(name)(event.target.value);
  const field = (name, word) => html`
    <label>${say(word)} <input type="search" value=${wanted[name]} onChange=${change(name)} /></label>
  `;
  return html`
    <h1>${say("audit")}</h1>
    <search class="filters">
      ${field("caller", "auditCaller")} ${field("operation", "auditOperation")} ${field("app", "auditApp")}
      ${field("requestId", "auditRequest")}
      <${ClusterFilter} of=${clusters} value=${wanted.cluster} choose=${set("cluster")} />
      <label>
        ${say("outcome")}${" "}
        <select value=${wanted.outcome} onChange=${change("outcome")}>
          <option value="">${say("any")}</option>
          ${OUTCOMES.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
        </select>
      </label>
    </search>
    <${Loaded} from=${found}>
      ${({ rows, nextCursor }) => html`
        <${Table} rows=${rows} />
        <${More} cursors=${cursors} next=${nextCursor} turn=${turn} />
      `}
    <//>
  `;
}

function Table({ rows }) {
  if (rows.length === 0) return html`<p role="status">${say("auditNone")}</p>`;
  return html`
    <${Wide} name=${say("audit")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("auditTime")}</th>
            <th scope="col">${say("auditCaller")}</th>
            <th scope="col">${say("auditOperation")}</th>
            <th scope="col">${say("auditTarget")}</th>
            <th scope="col">${say("outcome")}</th>
            <th scope="col">${say("auditFrom")}</th>
            <th scope="col">${say("auditRequest")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((one) => html`<${Row} key=${one.seq} of=${one} />`)}
        </tbody>
      </table>
    <//>
  `;
}

const outcome = (status) => (status === 0 ? "unanswered" : status < 400 ? "done" : status < 500 ? "refused" : "failed");

function Row({ of: { time, caller, authenticated, operation, target, app, task, status, address, requestId } }) {
  return html`
    <tr>
      <td><${Time} at=${time} /></td>
      <th scope="row">${caller}${" "}<span class="dim">${authenticated}</span></th>
      <td>${operation}</td>
      <td>
        ${target}
        ${app && html`<div><a href=${link("applications", app)}>${say("application")} ${app.slice(0, 8)}</a></div>`}
        ${task && html`<div><a href=${link("tasks", task)}>${say("task")} ${task.slice(0, 8)}</a></div>`}
      </td>
      <td><${State} of=${outcome(status)} /> ${status || ""}</td>
      <td>${address}</td>
      <td><code>${requestId}</code></td>
    </tr>
  `;
}
