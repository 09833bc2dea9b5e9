// Stages as columns, components as cards in them, objects as rows.

import { advice } from "../codes.js";
import { html } from "../vendor/htm-preact.js";
import { refOf } from "../objects.js";
import { State } from "../parts.js";
import { say } from "../words.js";
import { usePart } from "./live.js";
import { fateOf, isAmber, isRolledBack, isToPutBack, stateOf } from "./states.js";

const MANY = 4; // cards of a stage that are below each other; more are beside each other too

export function Picture({ model, show }) {
  usePart(model, "columns");
  if (model.columns.length === 0) return html`<p>${say("nothingYet")}</p>`;
  return html`
    <ol class="stages">
      ${model.columns.map(
        (column) => html`
          <li key=${column.stage} class=${column.cards.length > MANY ? "stage many" : "stage"}>
            <h3>${column.step ? `${column.stage + 1} · ${column.step}` : say("otherObjects")}</h3>
            <ul class="cards">
              ${column.cards.map((key) => html`<${Card} key=${key} of=${key} model=${model} show=${show} />`)}
            </ul>
          </li>
        `,
      )}
    </ol>
  `;
}

function Card({ of: key, model, show }) {
  usePart(model, `card ${key}`);
  const card = model.cards.get(key);
  if (!card) return null;
  const jobs = card.jobs.map((id) => model.jobs.get(id));
  const rows = card.rows.map((seq) => model.rows.get(seq));
  const way = turn(model, jobs);
  return html`
    <li class=${`card ${way}`}>
      ${jobs.length > 0 &&
      html`
        <h4>${card.component}${" "}<${State} of=${stateOf(jobs, model.status)} /></h4>
        ${way && html`<p class="way">${say(way === "back" ? "isPutBack" : "isNotAsItWas")}</p>`}
      `}
      <ul>
        ${jobs.map((job) => {
          const row = model.journal(job.ref);
          return html`<${Item} key=${job.id} status=${model.status} job=${job} row=${row} show=${show} />`;
        })}
        ${rows.map((row) => html`<${Item} key=${`row ${row.seq}`} status=${model.status} row=${row} show=${show} />`)}
      </ul>
    </li>
  `;
}

// Which way the card goes: forward (""), "back", or "amber" where some of it does not come back. It may be so in a task
// that goes on, too: a step that fails may be put back alone.
function turn(model, jobs) {
  const rows = jobs.map((job) => model.journal(job.ref)).filter((row) => row && isToPutBack(row));
  if (rows.some((row) => isAmber(row, model.status))) return "amber";
  const undone = rows.some((row) => fateOf(row).length > 1);
  return undone && rows.every(isRolledBack) ? "back" : "";
}

function Item({ status, job, row, show }) {
  const ref = job?.ref || (row && refOf(row)) || "";
  const [kind, ...names] = ref.split("/");
  const title = job && !job.ref ? job.type : html`${kind}${" "}<b>${names.at(-1)}</b>`;
  const texts = said(job, ref, row);
  return html`
    <li class=${`object ${row && isAmber(row, status) ? "amber" : ""}`}>
      <div class="line">
        ${row
          ? html`<button type="button" class="plain" title=${ref} onClick=${() => show(row)}>${title}</button>`
          : html`<span title=${ref}>${title}</span>`}
        ${job?.desired !== undefined && html`<span class="ready">${say("ready", job.ready, job.desired)}</span>`}
        ${job && html`<${State} of=${job.status} />`}
      </div>
      <div class="line"><${Fate} of=${row} /></div>
      ${texts.map((text) => html`<p key=${text}>${text}</p>`)}
    </li>
  `;
}

function Fate({ of: row }) {
  if (!row) return null;
  const states = fateOf(row);
  const toGo = row.purpose !== "apply" && row.purpose !== "use" && row.state === "intent";
  if (toGo) return html`<span class="fate">${say("toGo", row.purpose)}</span>`;
  return html`<span class=${`fate ${row.state}`}>${states.join(" → ")}</span>`;
}

// What is said of a job and of its object, once, and without the name that stands above it.
function said(job, ref, row) {
  const over = job?.error || (job?.status === "completed" && job.desired !== undefined); // that says it all
  const texts = [job?.error, advice(job?.reasonCode, job?.advice), over ? warnings(job.info) : job?.info, row?.why];
  const names = [`${ref}: `, `${ref.split("/")[0]} ${ref.split("/").at(-1)}: `];
  const bare = (text) => names.reduce((left, name) => (left.startsWith(name) ? left.slice(name.length) : left), text);
  return [...new Set(texts.filter(Boolean).flatMap((text) => bare(text).split("\n")))];
}

const warnings = (info) => (info ?? "").split("\n").filter((line) => line.startsWith("warning: ")).join("\n");
