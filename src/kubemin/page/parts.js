// Small pieces that several views have.

import { html } from "./vendor/htm-preact.js";
import { language, say } from "./words.js";

const TIME = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

// A time, as the API gives it: seconds since 1970, or RFC 3339.
export function Time({ at }) {
  if (!at) return null;
  const when = new Date(typeof at === "number" ? at * 1000 : at);
  return html`<time datetime=${when.toISOString()}>${TIME.format(when)}</time>`;
}

// What a view shows of something that is loaded: `children(value)` once it is there.
export function Loaded({ from, children }) {
  return html`
    ${from.stale && html`<p class="stale" role="status">${say("stale")}</p>`}
    ${from.error && !from.stale && html`<p class="error" role="alert">${from.error.message}</p>`}
    ${from.value !== undefined
      ? children(from.value)
      : !from.error && html`<p role="status">${say("loading")}</p>`}
  `;
}

// A state of the API: its word, and a colour that is never all there is.
export const State = ({ of }) => html`<span class=${`state ${of.toLowerCase().replaceAll(" ", "-")}`}>${of}</span>`;
