// What the task is, how far it is, and what can be done with it.

import { useAction, Wrong } from "../ask.js";
import { advice } from "../codes.js";
import { html, useState } from "../vendor/htm-preact.js";
import { State, Time } from "../parts.js";
import { get, post } from "../server.js";
import { useMay } from "../session.js";
import { link, useLive, useTitle } from "../use.js";
import { say } from "../words.js";
import { CancelDialog } from "./cancel.js";
import { ENDED, isOver } from "./states.js";

export function Head({ id, model, again }) {
  const [asks, ask] = useState(false);
  const { status } = model;
  const goes = !isOver(status);
  const may = useMay("deployer", status.appId);
  useTitle([status.appName, status.revision && say("revisionNumber", status.revision)].filter(Boolean).join(" "), say("tasks"));
  return html`
    <div>
      <header class="task-head">
        <h1>
          <a href=${link("applications", status.appId)}>${status.appName}</a>${" "}
          ${status.revision && html`<span>${say("revisionNumber", status.revision)}</span>`}
        </h1>
        <p><span role="status"><${State} of=${status.status} /></span>${" "}<${Jobs} model=${model} /></p>
        ${goes && may && html`<button type="button" onClick=${() => ask(true)}>${say("cancelAsk")}</button>`}
      </header>
      ${status.reason && html`<p class="reason">${status.reason}</p>`}
      ${status.advice && html`<p class="advice"><code>${status.reasonCode}</code>${" "}${advice(status.reasonCode, status.advice)}</p>`}
      ${status.queuedBehind.length > 0 &&
      html`<p>
        ${say("queuedBehind")}${" "}
        ${status.queuedBehind.map((one) => html`<a key=${one} href=${link("tasks", one)}>${one.slice(0, 8)}</a>${" "}`)}
      </p>`}
      ${status.status === "waiting"
        ? html`<${Waits} id=${id} />`
        : status.waitsBecause && html`<${Because} of=${status.waitsBecause} />`}
      ${goes && status.hold && html`<${Hold} id=${id} hold=${status.hold} may=${may} again=${again} />`}
      <${Facts} status=${status} />
      ${asks && goes && html`<${CancelDialog} model=${model} close=${() => ask(false)} />`}
    </div>
  `;
}

function Jobs({ model }) {
  const jobs = [...model.jobs.values()];
  if (jobs.length === 0) return null;
  const done = jobs.filter((job) => ENDED.has(job.status)).length;
  return html`<span>${say("jobsDone", done, jobs.length)}</span>`;
}

function Facts({ status }) {
  const facts = [
    ["task", status.taskId],
    ["cluster", status.cluster !== "default" && status.cluster],
    ["workflow", status.workflowName],
    ["created", html`<${Time} at=${status.createTime} />`],
    ["began", status.startTime && html`<${Time} at=${status.startTime} />`],
    ["ended", status.endTime && html`<${Time} at=${status.endTime} />`],
    ["attempt", status.attempt > 1 && status.attempt],
    ["worker", status.worker],
    ["actingAs", status.actingAs],
    ["cancelledBy", status.cancelledBy],
    ["request", status.requestId],
    ["cancelRequest", status.cancelRequestId],
  ];
  return html`
    <dl class="facts">
      ${facts.map(([name, value]) => value && html`<div key=${name}><dt>${say(name)}</dt><dd>${value}</dd></div>`)}
    </dl>
  `;
}

// Whether a worker will take it up, which no event says.
function Waits({ id }) {
  const found = useLive((signal) => get(`workflow/tasks/${encodeURIComponent(id)}/status`, {}, signal), [id]);
  const why = found.value?.waitsBecause;
  return html`<div aria-live="polite">${why && html`<${Because} of=${why} />`}</div>`;
}

const Because = ({ of }) => html`<p class="why">${say("waitsBecause", of)}</p>`;

function Hold({ id, hold, may, again }) {
  const promote = useAction(() => post(`workflow/tasks/${encodeURIComponent(id)}/promote`, { seq: hold.seq }).finally(again));
  const name = hold.component ? `${hold.component}: ${hold.name}` : hold.name;
  return html`
    <div class="hold">
      <p><strong>${say("holds", name)}</strong>${" "}${hold.info}</p>
      ${may && html`<button type="button" disabled=${promote.busy} onClick=${() => promote.run()}>${say("promote")}</button>`}
      <${Wrong} error=${promote.error} />
    </div>
  `;
}
