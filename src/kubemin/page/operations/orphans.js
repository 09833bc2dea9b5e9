// Objects that no task accounts for: looked for when somebody asks, since that reads the whole cluster.

import { html, useState } from "../vendor/htm-preact.js";
import { Ask, useAction, Wrong } from "../ask.js";
import { Objects, refOf } from "../objects.js";
import { ClusterFilter, useClusters, usual } from "../clusters.js";
import { Wide } from "../parts.js";
import { get, remove } from "../server.js";
import { useSession } from "../session.js";
import { say } from "../words.js";

export function Orphans() {
  const mayDelete = useSession().mayAll("admin");
  const clusters = useClusters();
  const [chosenCluster, place] = useState("");
  const cluster = chosenCluster || usual(clusters);
  const [rows, set] = useState(null);
  const [chosen, choose] = useState([]);
  const [asked, ask] = useState(false);
  const show = ({ orphans }) => {
    set(orphans);
    choose([]);
  };
  const look = useAction(async () => show(await get("orphans", { cluster })));
  const choosePlace = (name) => (place(name), set(null), choose([]));
  const toggle = (uid) => choose(chosen.includes(uid) ? chosen.filter((one) => one !== uid) : [...chosen, uid]);
  const named = (rows ?? []).filter((one) => chosen.includes(one.uid));
  return html`
    <section aria-live="polite">
      <h2>${say("orphans")}</h2>
      <p>${say("orphansWhat")}</p>
      <p class="buttons">
        <${ClusterFilter} of=${clusters} all=${false} value=${cluster} choose=${choosePlace} />
        <button type="button" disabled=${look.busy} onClick=${() => look.run()}>${say("orphansLook")}</button>
        ${mayDelete && rows?.length > 0 &&
        html`<button type="button" onClick=${() => choose(rows.map((one) => one.uid))}>${say("orphansAll")}</button>
          <button type="button" class="danger" disabled=${named.length === 0} onClick=${() => ask(true)}>
            ${say("orphansDelete", named.length)}
          </button>`}
      </p>
      <${Wrong} error=${look.error} />
      ${rows?.length === 0 && html`<p>${say("orphansNone")}</p>`}
      ${rows?.length > 0 && html`<${Table} rows=${rows} chosen=${chosen} toggle=${mayDelete ? toggle : null} />`}
      ${asked && html`<${Delete} cluster=${cluster} rows=${named} show=${show} close=${() => ask(false)} />`}
    </section>
  `;
}

const Table = ({ rows, chosen, toggle }) => html`
  <${Wide} name=${say("orphans")}>
    <table>
      <thead>
        <tr>
          <th scope="col">${say("previewObject")}</th>
          <th scope="col">${say("reason")}</th>
          <th scope="col">${say("task")}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (one) => html`
            <tr key=${one.uid}>
              <th scope="row">
                ${toggle
                  ? html`<label>
                      <input type="checkbox" checked=${chosen.includes(one.uid)} onChange=${() => toggle(one.uid)} />
                      ${" "}${refOf(one)}
                    </label>`
                  : refOf(one)}
              </th>
              <td>${one.why}${one.error && html`<div class="why">${one.error}</div>`}</td>
              <td>${one.taskId}</td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  <//>
`;

function Delete({ cluster, rows, show, close }) {
  const [volumes, set] = useState(false);
  const hasVolumes = rows.some((one) => one.kind === "PersistentVolumeClaim");
  const act = async () => {
    const found = await remove("orphans", { cluster, uid: rows.map((one) => one.uid), deleteVolumes: volumes });
    const failed = found.orphans.filter((one) => one.error);
    const left = (await get("orphans", { cluster })).orphans;
    show({ orphans: left.map((one) => failed.find((other) => other.uid === one.uid) ?? one) });
    close();
  };
  return html`
    <${Ask} title=${say("orphansAsk", rows.length)} action=${say("appDelete")} act=${act} close=${close} danger>
      <${Objects} rows=${rows.map((one) => ({ ref: refOf(one) }))} />
      ${hasVolumes &&
      html`<label>
        <input type="checkbox" checked=${volumes} onChange=${() => set(!volumes)} /> ${say("deleteVolumes")}
      </label>`}
    <//>
  `;
}
