// Small pieces that several views have.

import { told } from "./codes.js";
import { html } from "./vendor/htm-preact.js";
import { link } from "./use.js";
import { language, say } from "./words.js";

const TIME = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

// A time, as the API gives it: seconds since 1970, or RFC 3339.
export function Time({ at }) {
  if (!at) return null;
  const when = new Date(typeof at === "number" ? at * 1000 : at);
  return html`<time datetime=${when.toISOString()}>${TIME.format(when)}</time>`;
}

// What a view shows of something that is loaded: `children(value)` once it is there. One element, whatever is in it:
// Preact loses the place of several that come and go between others.
export function Loaded({ from, children }) {
  return html`
    <div class="loaded">
      ${from.stale && html`<p class="stale" role="status">${say("stale")}</p>`}
      ${from.error && !from.stale && html`<p class="error" role="alert">${told(from.error)}</p>`}
      ${from.value !== undefined
        ? children(from.value)
        : !from.error && html`<p role="status">${say("loading")}</p>`}
    </div>
  `;
}

// A state of the API: its word, and a colour that is never all there is.
export const State = ({ of }) => html`<span class=${`state ${of.replaceAll(" ", "-")}`}>${of}</span>`;

const STATUSES = ["waiting", "queued", "running", "completed", "failed", "timeout", "cancelled"];

// Which status of a task is looked for; "" is any.
export const StatusFilter = ({ word, value, choose }) => html`
  <label>
    ${say(word)}${" "}
    <select value=${value} onChange=${(event) => choose(event.target.value)}>
      <option value="">${say("any")}</option>
      ${STATUSES.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
    </select>
  </label>
`;

// A line that a person may write.
export const Field = ({ word, value, write }) => html`
  <label class="field">
    ${say(word)}
    <input type="text" maxlength="1000" value=${value} onInput=${(event) => write(event.target.value)} />
  </label>
`;

// Unit, from how many seconds on it is used, and how many it has.
const UNITS = [["day", 172800, 86400], ["hour", 7200, 3600], ["minute", 120, 60], ["second", -Infinity, 1]];

const FORMATS = new Map(); // by unit and digits: making one takes longer than using it

// How long something takes or took, in seconds.
export function duration(seconds) {
  const [unit, , size] = UNITS.find(([, from]) => seconds >= from);
  const value = Math.max(0, seconds / size);
  const maximumFractionDigits = value < 10 ? 1 : 0;
  const key = `${unit} ${maximumFractionDigits}`;
  if (!FORMATS.has(key)) {
    const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits };
    FORMATS.set(key, new Intl.NumberFormat(language, options));
  }
  return FORMATS.get(key).format(value);
}

// A task in one line: its status, its cleanup if that is open, and when it ended.
export const Ended = ({ task }) => html`
  <a href=${link("tasks", task.taskId)}><${State} of=${task.status} /></a>
  ${" "}${CLOSED.includes(task.cleanup) ? "" : html`<${State} of=${task.cleanup} /> `}
  <${Time} at=${task.endTime ?? task.createTime} />
`;
const CLOSED = ["none", "done"];

// A table that may be wider than the window scrolls by itself, also by the keyboard.
export const Wide = ({ name, children }) => html`<div class="wide" role="region" aria-label=${name} tabindex="0">${children}</div>`;

// The pages of a list by number: which one of how many, and the ones beside it.
export function Pages({ of: { total, page, pageSize }, turn }) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  const back = page > 1 && (() => turn(page - 1));
  const on = page < last && (() => turn(page + 1));
  return html`<${Beside} back=${back} on=${on}>${say("listPage", page, last, total)}<//>`;
}

// The pages of a list by cursor, which nobody counts. `cursors`: those that led here; `next`: the one that leads on.
export function More({ cursors, next, turn }) {
  const back = cursors.length > 0 && (() => turn(cursors.slice(0, -1)));
  const on = next && (() => turn([...cursors, next]));
  return html`<${Beside} back=${back} on=${on} />`;
}

function Beside({ back, on, children }) {
  if (!back && !on) return null;
  return html`
    <nav class="pages" aria-label=${say("listPages")}>
      <button type="button" disabled=${!back} onClick=${back || undefined}>${say("listBack")}</button>
      <span aria-live="polite">${children}</span>
      <button type="button" disabled=${!on} onClick=${on || undefined}>${say("listOn")}</button>
    </nav>
  `;
}
