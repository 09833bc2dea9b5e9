// All applications, the one that was changed last first.

import { html } from "./vendor/htm-preact.js";
import { Loaded, Time } from "./parts.js";
import { get } from "./server.js";
import { link, useLive } from "./use.js";
import { say } from "./words.js";

export function Applications() {
  const found = useLive((signal) => get("applications", {}, signal), []);
  return html`
    <h1>${say("applications")}</h1>
    <${Loaded} from=${found}>${(value) => html`<${Table} rows=${value.applications} />`}<//>
  `;
}

function Table({ rows }) {
  if (rows.length === 0) return html`<p>${say("noApplications")}</p>`;
  return html`
    <table>
      <thead>
        <tr>
          <th scope="col">${say("name")}</th>
          <th scope="col">${say("namespace")}</th>
          <th scope="col">${say("changed")}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (one) => html`
            <tr key=${one.id}>
              <th scope="row"><a href=${link("applications", one.id)}>${one.name}</a></th>
              <td>${one.namespace}</td>
              <td><${Time} at=${one.updateTime} /></td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}
