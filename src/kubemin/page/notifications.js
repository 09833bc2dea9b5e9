// Who is told what happens, and what was sent.

import { html, useState } from "./vendor/htm-preact.js";
import { useAction, Wrong } from "./ask.js";
import { Loaded, More, State, Time, Wide } from "./parts.js";
import { get, post } from "./server.js";
import { useSession } from "./session.js";
import { link, useLive } from "./use.js";
import { say } from "./words.js";

const SIZE = 50;
const STATES = ["offered", "waiting", "delivered", "dead", "dropped"];

export function Notifications() {
  const [{ state, target }, want] = useState({ state: "", target: "" });
  const [cursors, turn] = useState([]);
  const after = cursors.at(-1);
  const found = useLive(
    (signal) => get("notifications", { state, target, after, pageSize: SIZE }, signal),
    [state, target, after],
  );
  const choose = (name) => (event) => {
    want({ state, target, [name]: event.target.value });
    turn([]);
  };
  const select = (name, word, value, all) => html`
    <label>
      ${say(word)}${" "}
      <select value=${value} onChange=${choose(name)}>
        <option value="">${say("any")}</option>
        ${all.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
      </select>
    </label>
  `;
  return html`
    <h1>${say("notifications")}</h1>
    <${Loaded} from=${found}>
      ${({ targets, deliveries, nextCursor }) => html`
        <div>
          <${Targets} rows=${targets} />
          <section>
            <h2>${say("notifySent")}</h2>
            <p class="filters">
              ${select("target", "notifyTarget", target, targets.map((one) => one.name))}
              ${select("state", "appState", state, STATES)}
            </p>
            <${Deliveries} rows=${deliveries} again=${found.again} />
            <${More} cursors=${cursors} next=${nextCursor} turn=${turn} />
          </section>
        </div>
      `}
    <//>
  `;
}

function Targets({ rows }) {
  if (rows.length === 0) return html`<p>${say("notifyNoTargets")}</p>`;
  return html`
    <section>
      <h2>${say("notifyTargets")}</h2>
      <${Wide} name=${say("notifyTargets")}>
        <table>
          <thead>
            <tr>
              <th scope="col">${say("notifyTarget")}</th>
              <th scope="col">${say("notifyTemplate")}</th>
              <th scope="col">${say("notifyOn")}</th>
              <th scope="col">${say("notifyWaiting")}</th>
              <th scope="col">${say("notifyDead")}</th>
              <th scope="col"><span class="hidden">${say("historyActions")}</span></th>
            </tr>
          </thead>
          <tbody>
            ${rows.map((one) => html`<${Target} key=${one.name} of=${one} />`)}
          </tbody>
        </table>
      <//>
    </section>
  `;
}

function Target({ of: { name, here, known, template, on, waiting, dead, oldest } }) {
  const session = useSession();
  const [answer, set] = useState();
  const test = useAction(async () => {
    set(undefined);
    set(await post(`notifications/targets/${encodeURIComponent(name)}/test`));
  });
  return html`
    <tr>
      <th scope="row">${name}</th>
      <td>${here ? template : say(known ? "notifyElsewhere" : "notifyNobodys")}</td>
      <td>${on.join(", ") || (here && say("notifyCommits"))}</td>
      <td class="number">${waiting}${" "}${oldest && html`<span class="dim"><${Time} at=${oldest} /></span>`}</td>
      <td class="number">${dead}</td>
      <td>
        ${here &&
        session.mayAll("admin") &&
        html`<button type="button" aria-label=${say("notifyTestOf", name)} disabled=${test.busy} onClick=${() => test.run()}>
          ${say("notifyTest")}
        </button>`}${" "}
        <span role="status">
          ${answer && (answer.delivered ? say("notifyTested", answer.httpStatus) : html`<span class="why">${answer.error}</span>`)}
        </span>
        <${Wrong} error=${test.error} />
      </td>
    </tr>
  `;
}

function Deliveries({ rows, again }) {
  if (rows.length === 0) return html`<p role="status">${say("notifyNothing")}</p>`;
  return html`
    <${Wide} name=${say("notifySent")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("created")}</th>
            <th scope="col">${say("notifyTarget")}</th>
            <th scope="col">${say("notifyWhat")}</th>
            <th scope="col">${say("application")}</th>
            <th scope="col">${say("appState")}</th>
            <th scope="col">${say("opsTried")}</th>
            <th scope="col">${say("opsNext")}</th>
            <th scope="col"><span class="hidden">${say("historyActions")}</span></th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((one) => html`<${Delivery} key=${one.id} of=${one} again=${again} />`)}
        </tbody>
      </table>
    <//>
  `;
}

function Delivery({ of, again }) {
  const { id, target, type, appId, name, namespace, taskId, state, attempts, httpStatus, error, createTime, nextTime } = of;
  const session = useSession();
  const retry = useAction(() => post(`notifications/${id}/retry`).finally(again));
  return html`
    <tr>
      <td><${Time} at=${createTime} /></td>
      <th scope="row">${target}</th>
      <td>${taskId ? html`<a href=${link("tasks", taskId)}>${type}</a>` : type}</td>
      <td>${appId && html`<a href=${link("applications", appId)}>${namespace}/${name}</a>`}</td>
      <td>
        <${State} of=${state} /> ${httpStatus ?? ""}
        ${error && html`<div class="why">${error}</div>`}
        <${Wrong} error=${retry.error} />
      </td>
      <td class="number">${attempts}</td>
      <td>${nextTime ? html`<${Time} at=${nextTime} />` : ""}</td>
      <td>
        ${state !== "delivered" && session.mayAll("admin") &&
        html`<button type="button" aria-label=${say("notifyRetryOf", id)} disabled=${retry.busy} onClick=${() => retry.run()}>
          ${say("tryAgain")}
        </button>`}
      </td>
    </tr>
  `;
}
