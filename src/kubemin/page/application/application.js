// One application: what is deployed of it and how it does, its history, and what can be done with it.

import { html, useState } from "../vendor/htm-preact.js";
import { Ended, Loaded, State } from "../parts.js";
import { get } from "../server.js";
import { useSession } from "../session.js";
import { link, useLive, useTitle } from "../use.js";
import { say } from "../words.js";
import { Components } from "./components.js";
import { Delete } from "./delete.js";
import { Drift } from "./diff.js";
import { History } from "./history.js";
import { Restart } from "./restart.js";

const TASKS = 5;
const OFTEN = 5000; // milliseconds: Pods that come and go are in no event
const SELDOM = 15_000;
const UNSETTLED = ["Pending", "Failed", "Not Deploy"];
const pause = (value) => (UNSETTLED.includes(value?.application.overview.health ?? "Pending") ? OFTEN : SELDOM);

export function Application({ id }) {
  const path = `applications/${encodeURIComponent(id)}`;
  const found = useLive(
    async (signal) => {
      const [application, { components, dropped }, { tasks }] = await Promise.all([
        get(path, {}, signal),
        get(`${path}/components`, {}, signal),
        get("tasks", { appId: id, pageSize: TASKS }, signal),
      ]);
      return { application, components: [...components, ...dropped], tasks };
    },
    [id],
    { pause, types: ["task", "cleanup", "job"], appId: id },
  );
  return html`<${Loaded} from=${found}>${(value) => html`<${Shown} path=${path} again=${found.again} ...${value} />`}<//>`;
}

function Shown({ path, application, components, tasks, again }) {
  const { name, namespace, cluster, overview } = application;
  const may = useSession().may("deployer", application);
  useTitle(name, say("applications"));
  return html`
    <div class="heading">
      <h1>${name}</h1>
      <span>${say("namespace")} ${namespace}</span>
      ${cluster !== "default" && html`<span>${say("cluster")} ${cluster}</span>`}
      <${State} of=${overview.health} />
      ${overview.waiting > 0 && html`<span>${say("appWaiting", overview.waiting)}</span>`}
      ${may && html`<${Actions} path=${path} application=${application} components=${components} />`}
    </div>
    ${application.description && html`<p>${application.description}</p>`}
    <${Components} rows=${components} />
    <${History} path=${path} overview=${overview} may=${may} />
    <${Drift} path=${path} revision=${overview.revision} />
    <section>
      <h2>${say("tasks")}</h2>
      ${tasks.length === 0
        ? html`<p>${say("appNeverRan")}</p>`
        : html`<ul class="plain">
            ${tasks.map((one) => html`<li key=${one.id}>${one.type} ${one.workflowName}: <${Ended} task=${one} /></li>`)}
          </ul>`}
    </section>
  `;
}

function Actions({ path, application, components }) {
  const [asked, ask] = useState("");
  const close = () => ask("");
  return html`
    <span class="buttons">
      <a class="button" href=${link("plan", application.id)}>${say("appEdit")}</a>
      <button type="button" disabled=${application.overview.revision === null} onClick=${() => ask("restart")}>
        ${say("appRestart")}
      </button>
      <button type="button" class="danger" onClick=${() => ask("delete")}>${say("appDelete")}</button>
    </span>
    ${asked === "restart" && html`<${Restart} path=${path} components=${components} close=${close} />`}
    ${asked === "delete" && html`<${Delete} path=${path} application=${application} close=${close} />`}
  `;
}
