// What was deployed, newest first: how any two differ, and the way back to one.

import { html, useState } from "../vendor/htm-preact.js";
import { useAction, Wrong } from "../ask.js";
import { Loaded, State, Time, Wide } from "../parts.js";
import { get } from "../server.js";
import { link, useLive } from "../use.js";
import { say } from "../words.js";
import { Changes, compare } from "./diff.js";
import { Rollback } from "./rollback.js";

const RARELY = 60_000; // milliseconds: what is asked for anew when a task begins or ends anyway

export function History({ path, overview, may }) {
  const { revision, newestTask } = overview;
  const found = useLive(
    (signal) => get(`${path}/revisions`, {}, signal),
    [path, revision, newestTask?.taskId, newestTask?.status],
    { pause: RARELY, types: [] },
  );
  return html`
    <section>
      <h2>${say("historyTitle")}</h2>
      <${Loaded} from=${found}>
        ${({ revisions }) =>
          revisions.length === 0
            ? html`<p>${say("appNeverRan")}</p>`
            : html`<${Revisions} path=${path} rows=${revisions} current=${revision} may=${may} />`}
      <//>
    </section>
  `;
}

function Revisions({ path, rows, current, may }) {
  const [shown, show] = useState(null); // {from, to, changes}
  const look = useAction(async (from, to) => show({ from, to, changes: (await compare(path, from, to)).changes }));
  const [back, goBack] = useState(null); // {revision, again}
  return html`
    <${Wide} name=${say("historyTitle")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("appRevision")}</th>
            <th scope="col">${say("appState")}</th>
            <th scope="col">${say("components")}</th>
            <th scope="col">${say("historyNote")}</th>
            <th scope="col">${say("historyWhen")}</th>
            <th scope="col"><span class="hidden">${say("historyActions")}</span></th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((one) => html`<${Row} key=${one.revision} of=${one} goBack=${may && goBack} />`)}
        </tbody>
      </table>
    <//>
    <${Compare} rows=${rows} busy=${look.busy} look=${look.run} />
    <div aria-live="polite">
      <${Wrong} error=${look.error} />
      ${shown &&
      html`<section>
        <h3>${say("diffTitle", side(shown.from), side(shown.to))}</h3>
        <${Changes} changes=${shown.changes} />
      </section>`}
    </div>
    ${back && html`<${Rollback} path=${path} ...${back} current=${current} close=${() => goBack(null)} />`}
  `;
}

const side = (one) => (one === "draft" ? say("diffDraft") : one === "live" ? say("diffLive") : say("revisionNumber", one));

// Which two are compared: at first the last but one and the last.
function Compare({ rows, busy, look }) {
  const [sides, choose] = useState({ from: String((rows[1] ?? rows[0]).revision), to: String(rows[0].revision) });
  const select = (name, word) => html`
    <label>
      ${say(word)}${" "}
      <select value=${sides[name]} onChange=${(event) => choose({ ...sides, [name]: event.target.value })}>
        ${[...rows.map((one) => String(one.revision)), "draft", "live"].map(
          (one) => html`<option key=${one} value=${one}>${side(one)}</option>`,
        )}
      </select>
    </label>
  `;
  return html`
    <p class="filters">
      ${select("from", "diffFrom")} ${select("to", "diffTo")}
      <button type="button" disabled=${busy} onClick=${() => look(sides.from, sides.to)}>${say("diffLook")}</button>
    </p>
  `;
}

function Row({ of: { revision, state, strategy, note, user, taskId, createTime, changes }, goBack }) {
  const again = state !== "superseded";
  return html`
    <tr>
      <th scope="row"><a href=${link("tasks", taskId)}>${revision}</a></th>
      <td><${State} of=${state} /></td>
      <td class="images">${summary(changes)}</td>
      <td>${note}${note && " "}<span class="dim">${user} · ${strategy}</span></td>
      <td><${Time} at=${createTime} /></td>
      <td>
        ${state !== "pending" && goBack &&
        html`<button type="button" aria-label=${say(again ? "redeployOf" : "rollBackOf", revision)} onClick=${() => goBack({ revision, again })}>
          ${say(again ? "redeploy" : "rollBack")}
        </button>`}
      </td>
    </tr>
  `;
}

const MOST = 6;

function summary({ added, changed, removed }) {
  const all = [...added.map((one) => `+${one}`), ...changed.map((one) => `~${one}`), ...removed.map((one) => `−${one}`)];
  return all.length > MOST ? `${all.slice(0, MOST).join(" ")} … (${all.length})` : all.join(" ");
}
