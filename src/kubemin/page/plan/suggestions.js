// The list below the cursor's line: chosen by arrow keys and Enter, or Tab; Escape closes it.

import { html } from "../vendor/htm-preact.js";
import { say } from "../words.js";

export const LIST = "suggestions";
export const option = (place) => `${LIST}-${place}`;

export function Suggestions({ words, chosen, line, column, take }) {
  return html`
    <ul id=${LIST} class="suggestions" role="listbox" aria-label=${say("planFields")} style=${{ "--row": line + 1, "--column": column }}>
      ${words.map(
        ({ text, hint }, place) => html`
          <li
            key=${text}
            id=${option(place)}
            role="option"
            aria-selected=${place === chosen ? "true" : "false"}
            onPointerDown=${(event) => {
              event.preventDefault(); // the text keeps the focus
              take(text);
            }}
          >
            <b>${text.replace(/: ?$/, "")}</b> <span class="dim">${hint}</span>
          </li>
        `,
      )}
    </ul>
  `;
}
