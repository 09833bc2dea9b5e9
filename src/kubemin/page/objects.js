// Objects by name, each with why it is in the list.

import { html } from "./vendor/htm-preact.js";
import { say } from "./words.js";

const MOST = 500; // more names than that nobody reads

export const refOf = ({ kind, namespace, name }) => [kind, namespace, name].filter(Boolean).join("/");

// `rows`: {ref, why} or {kind, namespace, name, why}.
export const Objects = ({ rows }) => html`
  <ul class="objects" tabindex="0">
    ${rows.slice(0, MOST).map(({ ref, why, ...names }) => {
      const name = ref ?? refOf(names);
      return html`<li key=${name}><code>${name}</code>${why && html`<span>: ${why}</span>`}</li>`;
    })}
    ${rows.length > MOST && html`<li>${say("more", rows.length - MOST)}</li>`}
  </ul>
`;
