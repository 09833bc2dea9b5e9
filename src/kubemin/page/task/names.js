// A list of objects, each with why it is in it.

import { html } from "../vendor/htm-preact.js";
import { say } from "../words.js";
import { refOf } from "./model.js";

const MOST = 500; // more names than that nobody reads

export const Names = ({ rows }) => html`
  <ul class="named" tabindex="0">
    ${rows.slice(0, MOST).map(
      (row) => html`<li key=${refOf(row)}><code>${refOf(row)}</code>${row.why && html`<span>: ${row.why}</span>`}</li>`,
    )}
    ${rows.length > MOST && html`<li>${say("more", rows.length - MOST)}</li>`}
  </ul>
`;
