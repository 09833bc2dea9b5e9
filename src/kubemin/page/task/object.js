// An object: its fields before the task, as the task wrote them, and now.

import { Dialog } from "../ask.js";
import { refOf } from "../objects.js";
import { html } from "../vendor/htm-preact.js";
import { Loaded, Wide } from "../parts.js";
import { get } from "../server.js";
import { useLive } from "../use.js";
import { say } from "../words.js";
import { fateOf } from "./states.js";

export function ObjectDialog({ id, row, close }) {
  const path = `workflow/tasks/${encodeURIComponent(id)}/changes`;
  const found = useLive((signal) => get(path, { seq: row.seq }, signal), [id, row.seq], { types: [] });
  return html`
    <${Dialog} title=${refOf(row)} close=${close}>
      <${Loaded} from=${found}>${({ changes }) => html`<${Change} of=${changes[0]} />`}<//>
      <p class="buttons"><button type="button" onClick=${close}>${say("close")}</button></p>
    <//>
  `;
}

function Change({ of: change }) {
  if (!change) return html`<p>${say("diffNone")}</p>`;
  return html`
    <p><span class=${`fate ${change.state}`}>${fateOf(change).join(" → ")}</span>${change.why && `: ${change.why}`}</p>
    ${change.fields.length === 0
      ? html`<p>${say("diffNone")}</p>`
      : html`
          <${Wide} name=${refOf(change)}>
            <table class="fields">
              <thead>
                <tr>
                  <th scope="col">${say("field")}</th>
                  <th scope="col">${say("before")}</th>
                  <th scope="col">${say("written")}</th>
                  <th scope="col">${say("now")}</th>
                </tr>
              </thead>
              <tbody>
                ${change.fields.map(
                  (field) => html`
                    <tr key=${field.path}>
                      <th scope="row"><code>${field.path}</code></th>
                      ${["before", "applied", "now"].map((side) => html`<td><${Value} of=${field[side]} /></td>`)}
                    </tr>
                  `,
                )}
              </tbody>
            </table>
          <//>
        `}
  `;
}

function Value({ of: value }) {
  if (value === null || value === undefined) return html`<span class="absent">${say("absent")}</span>`;
  return html`<code>${typeof value === "string" ? value : JSON.stringify(value)}</code>`;
}
