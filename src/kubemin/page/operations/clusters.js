// The clusters that the server knows: whether each answers, and who works there.

import { html } from "../vendor/htm-preact.js";
import { Loaded, State, Wide } from "../parts.js";
import { get } from "../server.js";
import { useLive } from "../use.js";
import { say } from "../words.js";

const SELDOM = 30_000; // milliseconds: each look asks each cluster

export function Clusters() {
  const found = useLive((signal) => get("clusters", {}, signal), [], { types: [], pause: SELDOM });
  return html`
    <section>
      <h2>${say("clusters")}</h2>
      <${Loaded} from=${found}>${({ clusters }) => html`<${Table} rows=${clusters} />`}<//>
    </section>
  `;
}

const Table = ({ rows }) => html`
  <${Wide} name=${say("clusters")}>
    <table>
      <thead>
        <tr>
          <th scope="col">${say("cluster")}</th>
          <th scope="col">${say("appState")}</th>
          <th scope="col">${say("clusterVersion")}</th>
          <th scope="col">${say("clusterWorkers")}</th>
          <th scope="col">${say("opsWaiting")}</th>
          <th scope="col">${say("clusterRunning")}</th>
          <th scope="col">${say("clusterCleanups")}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (one) => html`
            <tr key=${one.name}>
              <th scope="row">${one.name}</th>
              <td>
                <${State} of=${one.reachable ? "ok" : "down"} />
                ${one.message && html`<div class="why">${one.message}</div>`}
              </td>
              <td>${one.version}</td>
              <td>
                ${one.workers.map(
                  ({ worker, away }) => html`<div key=${worker}>${worker}${away && html`<span class="why">: ${away}</span>`}</div>`,
                )}
                ${one.workers.length === 0 && html`<span class="why">${say("clusterNoWorkers")}</span>`}
              </td>
              <td class="number">${one.waiting}</td>
              <td class="number">${one.running}</td>
              <td class="number">${one.cleanups}</td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  <//>
`;
