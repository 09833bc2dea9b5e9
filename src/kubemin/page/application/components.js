// The components: how each does, where it is reached, and its image in the cluster beside the draft's.

import { html } from "../vendor/htm-preact.js";
import { State, Wide } from "../parts.js";
import { say } from "../words.js";

export const Components = ({ rows }) => html`
  <section>
    <h2>${say("components")}</h2>
    <${Wide} name=${say("components")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("name")}</th>
            <th scope="col">${say("appType")}</th>
            <th scope="col">${say("appState")}</th>
            <th scope="col">${say("appAddress")}</th>
            <th scope="col">${say("appImageDeployed")}</th>
            <th scope="col">${say("appImageDraft")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((one) => html`<${Row} key=${one.name} of=${one} />`)}
        </tbody>
      </table>
    <//>
  </section>
`;

const WITHOUT_PODS = ["config", "secret", "manifests"];

// One that the draft no longer has is without an image of it.
function Row({ of: { name, type, state, lastAbnormal, externalLinks, deployed, image, replicas = deployed.replicas } }) {
  const differs = deployed !== null && deployed.image !== image;
  const draft = image === undefined ? html`<em>${say("appNotInDraft")}</em>` : html`${image}${differs && html` <em>${say("differs")}</em>`}`;
  return html`
    <tr>
      <th scope="row">${name}</th>
      <td>${type}${!WITHOUT_PODS.includes(type) && replicas !== 1 ? ` × ${replicas}` : ""}</td>
      <td>
        <${State} of=${state} />
        ${lastAbnormal && html`<div class="why">${lastAbnormal}</div>`}
      </td>
      <td>${externalLinks.map((one) => html`<div key=${one.value}><${Address} of=${one} /></div>`)}</td>
      <td class="images">${deployed ? deployed.image : say("appNotDeployed")}</td>
      <td class=${differs ? "images differs" : "images"}>${draft}</td>
    </tr>
  `;
}

const Address = ({ of: { type, value } }) =>
  /^https?:\/\//.test(value) ? html`<a href=${value} rel="noreferrer">${value}</a>` : `${type} ${value}`;
