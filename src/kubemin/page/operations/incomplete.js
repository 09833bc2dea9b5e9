// Cleanups that could not put everything back: tried again, or given up.

import { html, useState } from "../vendor/htm-preact.js";
import { Ask, useAction, Wrong } from "../ask.js";
import { Time, Wide } from "../parts.js";
import { post } from "../server.js";
import { link } from "../use.js";
import { say } from "../words.js";

export function Incomplete({ rows, total, again }) {
  const [given, giveUp] = useState(null);
  return html`
    <section>
      <h2>${say("opsIncomplete")}</h2>
      ${total > rows.length && html`<p>${say("opsOfAll", rows.length, total)}</p>`}
      ${rows.length === 0 ? html`<p>${say("opsNoIncomplete")}</p>` : html`<${Table} rows=${rows} again=${again} giveUp=${giveUp} />`}
      ${given && html`<${GiveUp} task=${given} again=${again} close=${() => giveUp(null)} />`}
    </section>
  `;
}

const Table = ({ rows, again, giveUp }) => html`
  <${Wide} name=${say("opsIncomplete")}>
    <table>
      <thead>
        <tr>
          <th scope="col">${say("opsTask")}</th>
          <th scope="col">${say("name")}</th>
          <th scope="col">${say("opsWhy")}</th>
          <th scope="col">${say("opsTried")}</th>
          <th scope="col">${say("opsNext")}</th>
          <th scope="col"><span class="hidden">${say("historyActions")}</span></th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((one) => html`<${Row} key=${one.taskId} of=${one} again=${again} giveUp=${giveUp} />`)}
      </tbody>
    </table>
  <//>
`;

function Row({ of, again, giveUp }) {
  const { taskId, appId, name, why, attempts, nextTime } = of;
  const retry = useAction(async () => {
    await post(`workflow/tasks/${taskId}/cleanup`);
    again();
  });
  return html`
    <tr>
      <th scope="row"><a href=${link("tasks", taskId)}>${taskId.slice(0, 8)}</a></th>
      <td><a href=${link("applications", appId)}>${name}</a></td>
      <td>${why}<${Wrong} error=${retry.error} /></td>
      <td class="number">${attempts}</td>
      <td>${nextTime ? html`<${Time} at=${nextTime} />` : say("opsNever")}</td>
      <td class="buttons">
        <button type="button" disabled=${retry.busy} onClick=${() => retry.run()}>${say("opsAgain")}</button>
        <button type="button" class="danger" onClick=${() => giveUp(of)}>${say("opsGiveUp")}</button>
      </td>
    </tr>
  `;
}

function GiveUp({ task, again, close }) {
  const [reason, write] = useState("");
  const act = async () => {
    await post(`workflow/tasks/${task.taskId}/cleanup`, { abandon: true, ...(reason.trim() && { reason: reason.trim() }) });
    close();
    again();
  };
  return html`
    <${Ask} title=${say("opsGiveUpAsk", task.name)} action=${say("opsGiveUp")} act=${act} close=${close} danger>
      <p>${task.why}</p>
      <p>${say("opsGiveUpWhat")}</p>
      <label class="field">
        ${say("opsReason")}
        <input type="text" maxlength="1000" value=${reason} onInput=${(event) => write(event.target.value)} />
      </label>
    <//>
  `;
}
