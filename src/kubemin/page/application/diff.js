// How two sides differ, by object and field; and drift, which is how the cluster differs from what was deployed.

import { html, useState } from "../vendor/htm-preact.js";
import { useAction, Wrong } from "../ask.js";
import { Wide } from "../parts.js";
import { get } from "../server.js";
import { say } from "../words.js";

export const compare = (path, from, to) => get(`${path}/diff`, { from, to });

export function Changes({ changes }) {
  if (changes.length === 0) return html`<p role="status">${say("diffNone")}</p>`;
  return html`
    <div>
      ${changes.map(
        ({ ref, action, fields }) => html`
          <section key=${ref} class="change">
            <h3>${ref} <em>${say(ACTIONS[action])}</em></h3>
            ${fields.length > 0 && html`<${Fields} of=${ref} fields=${fields} />`}
          </section>
        `,
      )}
    </div>
  `;
}

const ACTIONS = { create: "diffCreate", delete: "diffDelete", change: "differs" };

const Fields = ({ of, fields }) => html`
  <${Wide} name=${of}>
    <table class="fields">
      <thead>
        <tr>
          <th scope="col">${say("field")}</th>
          <th scope="col">${say("diffFrom")}</th>
          <th scope="col">${say("diffTo")}</th>
        </tr>
      </thead>
      <tbody>
        ${fields.map(
          ({ path, from, to }) => html`
            <tr key=${path}>
              <th scope="row">${path}</th>
              <td><del>${shown(from)}</del></td>
              <td><ins>${shown(to)}</ins></td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  <//>
`;

const shown = (value) => (value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value, null, 1));

export function Drift({ path, revision }) {
  const [changes, set] = useState(null);
  const look = useAction(async () => set((await compare(path, "current", "live")).changes));
  return html`
    <section aria-live="polite">
      <h2>${say("driftTitle")}</h2>
      <p>
        <button type="button" disabled=${look.busy || revision === null} onClick=${() => look.run()}>
          ${say("driftLook")}
        </button>
      </p>
      <${Wrong} error=${look.error} />
      ${changes?.length === 0 && html`<p>${say("driftNone")}</p>`}
      ${changes?.length > 0 && html`<p>${say("driftSome")}</p><${Changes} changes=${changes} />`}
    </section>
  `;
}
