// For whoever runs the server: its parts, its workers, what waits, what is left undone, and what nobody accounts for.

import { html, useState } from "./vendor/htm-preact.js";
import { ClusterFilter, useClusters } from "./clusters.js";
import { Clusters } from "./operations/clusters.js";
import { Incomplete } from "./operations/incomplete.js";
import { Orphans } from "./operations/orphans.js";
import { duration, Loaded, State, Time, Wide } from "./parts.js";
import { get } from "./server.js";
import { useSession } from "./session.js";
import { useLive } from "./use.js";
import { say } from "./words.js";

const READY = "../../readyz";

export function Operations() {
  const session = useSession();
  const clusters = useClusters();
  const [cluster, choose] = useState("");
  const found = useLive((signal) => get("operations", { cluster }, signal), [cluster]);
  return html`
    <h1>${say("operations")}</h1>
    <${Readiness} />
    ${clusters.length > 1 &&
    html`<search class="filters"><${ClusterFilter} of=${clusters} value=${cluster} choose=${choose} /></search>`}
    <${Loaded} from=${found}>
      ${(value) => html`
        ${session.mayAll("viewer") && html`<${Workers} rows=${value.workers} now=${value.now} />`}
        <${Queues} rows=${value.queues} now=${value.now} several=${clusters.length > 1} />
        <${Incomplete} rows=${value.incomplete} total=${value.incompleteTotal} again=${found.again} />
      `}
    <//>
    <${Clusters} />
    ${session.mayAll("viewer") && html`<${Orphans} />`}
  `;
}

function Readiness() {
  const found = useLive(ready, [], { types: [] });
  return html`
    <section>
      <h2>${say("opsReady")}</h2>
      <${Loaded} from=${found}>
        ${({ status, secrets, checks }) => html`
          <p role="status"><${State} of=${status} /></p>
          ${secrets === "plain" && html`<p>${say("opsPlain")}</p>`}
          <ul class="plain">
            ${checks.map(
              (one) => html`<li key=${one.name}>${one.name}: <${State} of=${one.status} /> ${one.status === "ok" ? "" : one.message}</li>`,
            )}
          </ul>
        `}
      <//>
    </section>
  `;
}

// A server without its database says so by an error, which names the parts too.
async function ready(signal) {
  try {
    return await get(READY, {}, signal);
  } catch (error) {
    if (!error.errors?.length) throw error;
    const checks = error.errors.map((one) => ({ name: one.field, status: one.code.toLowerCase(), message: one.message }));
    return { status: "down", checks };
  }
}

const since = (now, then) => duration((Date.parse(now) - Date.parse(then)) / 1000);

function Workers({ rows, now }) {
  return html`
    <section>
      <h2>${say("opsWorkers")}</h2>
      ${rows.length === 0
        ? html`<p>${say("opsNoWorkers")}</p>`
        : html`
            <${Wide} name=${say("opsWorkers")}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">${say("worker")}</th>
                    <th scope="col">${say("tasks")}</th>
                    <th scope="col">${say("opsSince")}</th>
                    <th scope="col">${say("opsLease")}</th>
                  </tr>
                </thead>
                <tbody>
                  ${rows.map(
                    (one) => html`
                      <tr key=${one.worker}>
                        <th scope="row">${one.worker}</th>
                        <td class="number">${one.tasks}</td>
                        <td>${one.since && since(now, one.since)}</td>
                        <td>
                          ${one.expired > 0
                            ? html`<span class="state failed">${say("opsExpired", one.expired)}</span>`
                            : html`<${Time} at=${one.leasedUntil} />`}
                        </td>
                      </tr>
                    `,
                  )}
                </tbody>
              </table>
            <//>
          `}
    </section>
  `;
}

function Queues({ rows, now, several }) {
  return html`
    <section>
      <h2>${say("appsQueue")}</h2>
      ${rows.length === 0
        ? html`<p>${say("opsNoQueue")}</p>`
        : html`
            <${Wide} name=${say("appsQueue")}>
              <table>
                <thead>
                  <tr>
                    ${several && html`<th scope="col">${say("cluster")}</th>`}
                    <th scope="col">${say("namespace")}</th>
                    <th scope="col">${say("opsWaiting")}</th>
                    <th scope="col">${say("opsOldest")}</th>
                  </tr>
                </thead>
                <tbody>
                  ${rows.map(
                    (one) => html`
                      <tr key=${`${one.cluster}/${one.namespace}`}>
                        ${several && html`<td>${one.cluster}</td>`}
                        <th scope="row">${one.namespace || "–"}</th>
                        <td class="number">${one.tasks}</td>
                        <td>${since(now, one.oldest)} (<${Time} at=${one.oldest} />)
                          ${one.waitsBecause && html`<div class="why">${one.waitsBecause}</div>`}</td>
                      </tr>
                    `,
                  )}
                </tbody>
              </table>
            <//>
          `}
    </section>
  `;
}
