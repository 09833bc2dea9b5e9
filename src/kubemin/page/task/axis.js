// When each job ran: a bar for each, and after the task's end another one until its object was put back.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/htm-preact.js";
import { duration } from "../parts.js";
import { say } from "../words.js";
import { usePart } from "./live.js";
import { goesBack, isOver, isRolledBack, isSettled } from "./states.js";

const MANY = 100; // bars out of sight are not drawn then
const TICKS = [0, 0.25, 0.5, 0.75, 1];

// Bars have times only. How long all of it is, and where "now" is, are properties of the whole: a second that passes
// changes two of these, however many bars there are.
export function Axis({ model }) {
  usePart(model, "axis");
  const place = useRef();
  const { begin, status } = model;
  if (model.jobs.size === 0) return html`<p>${say("noJobs")}</p>`;
  if (!begin) return html`<p>${say("notBegun")}</p>`;
  const line = isOver(status) && status.cleanup.state !== "none" ? lineOf(model) - begin : undefined;
  const name = model.jobs.size > MANY ? "axis many" : "axis";
  const undoing = say(goesBack(status) ? "rollback" : "removal");
  return html`
    <div class=${name} tabindex="0" ref=${place} style=${{ "--end": line ?? 0 }}>
      <${Ticks} model=${model} place=${place} />
      <ol>
        ${[...model.jobs.keys()].map((id) => html`<${Bar} key=${id} id=${id} model=${model} />`)}
      </ol>
      ${line !== undefined && html`<div class="end-line" title=${undoing}></div>`}
    </div>
  `;
}

function Ticks({ model, place }) {
  const [, next] = useState(0);
  const settled = isSettled(model.status);
  const span = Math.max(1, (settled ? endOf(model) : model.now()) - model.begin);
  useLayoutEffect(() => {
    place.current.style.setProperty("--span", span);
    place.current.style.setProperty("--now", span);
  });
  useEffect(() => {
    if (settled) return undefined;
    const timer = setInterval(() => next((turn) => turn + 1), 1000);
    return () => clearInterval(timer);
  }, [settled]);
  return html`
    <div class="ticks" aria-hidden="true">
      ${TICKS.map((part) => html`<span key=${part} style=${{ "--from": part }}>${duration(part * span)}</span>`)}
    </div>
  `;
}

function Bar({ id, model }) {
  usePart(model, `job ${id}`);
  const { begin } = model;
  const job = model.jobs.get(id);
  if (!job) return null;
  const from = job.start && Math.max(0, job.start - begin);
  const to = job.end && Math.max(from, job.end - begin);
  const row = goesBack(model.status) && job.ref ? model.journal(job.ref) : undefined;
  const back = row && isRolledBack(row) && row.state !== "unchanged" ? row.at - begin : undefined;
  const until = to ?? model.now() - begin;
  const text = from === undefined ? say("notBegun") : say("fromFor", duration(from), duration(until - from));
  return html`
    <li title=${`${job.name}: ${text}`}>
      <span class="label">${job.name}</span>
      <span class="track">
        ${from !== undefined &&
        html`<span class=${`bar ${job.status}`} style=${{ "--from": from, "--to": to ?? "var(--now)" }}></span>`}
        ${back !== undefined &&
        html`<span class="bar back" style=${{ "--from": "var(--end)", "--to": back }}></span>`}
        <span class="hidden">${text}</span>
      </span>
    </li>
  `;
}

const times = (model, name) => [...model.jobs.values()].map((job) => job[name]).filter(Boolean);

// Where the rollback begins: exact times of the jobs are finer than the task's.
const lineOf = (model) => Math.max(model.status.endTime ?? 0, ...times(model, "end"));

const endOf = (model) =>
  Math.max(lineOf(model), model.undoing?.endTime ?? 0, ...[...model.rows.values()].map((row) => row.at));
