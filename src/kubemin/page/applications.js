// All applications, the one that was changed last first, page by page; one of them below its id.

import { Application } from "./application/application.js";
import { html, useState } from "./vendor/htm-preact.js";
import { Ended, Loaded, Pages, State, StatusFilter, Wide } from "./parts.js";
import { get } from "./server.js";
import { useSession } from "./session.js";
import { ClusterFilter, useClusters } from "./clusters.js";
import { link, useLive } from "./use.js";
import { say } from "./words.js";

const SIZE = 50;

export const Applications = ({ parts }) =>
  parts.length ? html`<${Application} key=${parts[0]} id=${parts[0]} />` : html`<${List} />`;

function List() {
  const [wanted, want] = useState({ search: "", status: "", cluster: "", page: 1 });
  const found = useLive(
    (signal) => get("applications", { ...wanted, pageSize: SIZE }, signal),
    [wanted.search, wanted.status, wanted.cluster, wanted.page],
  );
  const change = (name) => (value) => want((last) => ({ ...last, [name]: value, page: 1 }));
  const search = (event) => change("search")(event.target.value);
  const filtered = wanted.search !== "" || wanted.status !== "" || wanted.cluster !== "";
  const session = useSession();
  const clusters = useClusters();
  return html`
    <h1>${say("applications")}</h1>
    <${Incomplete} />
    <search class="filters">
      <label>${say("search")} <input type="search" value=${wanted.search} onInput=${search} /></label>
      <${StatusFilter} word="appsNewestTask" value=${wanted.status} choose=${change("status")} />
      <${ClusterFilter} of=${clusters} value=${wanted.cluster} choose=${change("cluster")} />
      ${session.maySome("deployer") && html`<a class="button" href=${link("plan")}>${say("appsNew")}</a>`}
    </search>
    <${Loaded} from=${found}>
      ${(value) => html`
        <${Table} rows=${value.applications} filtered=${filtered} several=${clusters.length > 1} />
        <${Pages} of=${value} turn=${(page) => want((last) => ({ ...last, page }))} />
      `}
    <//>
  `;
}

// What needs somebody, whichever application it is of.
function Incomplete() {
  const found = useLive((signal) => get("operations", {}, signal), []);
  const number = found.value?.incompleteTotal ?? 0;
  return html`
    <div aria-live="polite">
      ${number > 0 && html`<p class="notice"><a href=${link("operations")}>${say("appsIncomplete", number)}</a></p>`}
    </div>
  `;
}

function Table({ rows, filtered, several }) {
  if (rows.length === 0) return html`<p role="status">${say(filtered ? "appsNoneFit" : "noApplications")}</p>`;
  return html`
    <${Wide} name=${say("applications")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("name")}</th>
            <th scope="col">${say("namespace")}</th>
            ${several && html`<th scope="col">${say("cluster")}</th>`}
            <th scope="col">${say("appHealth")}</th>
            <th scope="col">${say("appRevision")}</th>
            <th scope="col">${say("appImages")}</th>
            <th scope="col">${say("appsNewestTask")}</th>
            <th scope="col">${say("appsQueue")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((one) => html`<${Row} key=${one.id} of=${one} several=${several} />`)}
        </tbody>
      </table>
    <//>
  `;
}

function Row({ of: { id, name, namespace, cluster, overview }, several }) {
  const { health, revision, images, imageCount, newestTask, waiting } = overview;
  return html`
    <tr>
      <th scope="row"><a href=${link("applications", id)}>${name}</a></th>
      <td>${namespace}</td>
      ${several && html`<td>${cluster}</td>`}
      <td><${State} of=${health} /></td>
      <td class="number">${revision ?? ""}</td>
      <td class="images">
        ${images.map((image) => html`<div key=${image}>${image}</div>`)}
        ${imageCount > images.length && say("more", imageCount - images.length)}
      </td>
      <td>${newestTask && html`<${Ended} task=${newestTask} />`}</td>
      <td class="number">${waiting || ""}</td>
    </tr>
  `;
}
