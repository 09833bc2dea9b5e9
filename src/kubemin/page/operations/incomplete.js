// Cleanups that could not put everything back: tried again, or given up.

import { html, useState } from "../vendor/htm-preact.js";
import { useAction, Wrong } from "../ask.js";
import { GiveUp } from "../giveup.js";
import { Time, Wide } from "../parts.js";
import { post } from "../server.js";
import { useMay } from "../session.js";
import { link } from "../use.js";
import { say } from "../words.js";

export function Incomplete({ rows, total, again }) {
  const [given, giveUp] = useState(null);
  return html`
    <section>
      <h2>${say("opsIncomplete")}</h2>
      ${total > rows.length && html`<p>${say("opsOfAll", rows.length, total)}</p>`}
      ${rows.length === 0 ? html`<p>${say("opsNoIncomplete")}</p>` : html`<${Table} rows=${rows} again=${again} giveUp=${giveUp} />`}
      ${given && html`<${GiveUp} ...${given} again=${again} close=${() => giveUp(null)}><p>${given.why}</p><//>`}
    </section>
  `;
}

const Table = ({ rows, again, giveUp }) => html`
  <${Wide} name=${say("opsIncomplete")}>
    <table>
      <thead>
        <tr>
          <th scope="col">${say("task")}</th>
          <th scope="col">${say("name")}</th>
          <th scope="col">${say("reason")}</th>
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
  const may = useMay("deployer", appId);
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
        ${may &&
        html`<button type="button" aria-label=${say("tryAgainOf", name)} disabled=${retry.busy} onClick=${() => retry.run()}>
            ${say("tryAgain")}
          </button>
          <button type="button" class="danger" aria-label=${say("giveUpOf", name)} onClick=${() => giveUp(of)}>${say("giveUp")}</button>`}
      </td>
    </tr>
  `;
}
