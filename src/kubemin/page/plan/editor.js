// A text with numbers at its lines. `mistakes` are marked at theirs.

import { html, useRef } from "../vendor/htm-preact.js";
import { say } from "../words.js";

const LINE = 1.5; // em, as in the style sheet

export function Editor({ text, write, mistakes, hint }) {
  const field = useRef();
  const lines = text.split("\n").length;
  const go = (line) => {
    const before = text.split("\n").slice(0, line - 1);
    const start = before.reduce((length, one) => length + one.length + 1, 0);
    const end = text.indexOf("\n", start);
    field.current.focus();
    field.current.setSelectionRange(start, end < 0 ? text.length : end);
    const size = parseFloat(getComputedStyle(field.current).fontSize);
    field.current.parentElement.scrollTop = Math.max(0, (line - 4) * LINE * size);
  };
  const marked = [...new Set(mistakes.map((one) => one.line))];
  return html`
    <div class="editor">
      <pre class="gutter" aria-hidden="true">${Array.from({ length: lines }, (_, line) => line + 1).join("\n")}</pre>
      ${marked.map((line) => html`<div key=${line} class="mark" style=${{ "--line": line - 1 }} aria-hidden="true"></div>`)}
      <textarea
        ref=${field}
        aria-label=${say("planText")}
        aria-invalid=${mistakes.length > 0 ? "true" : "false"}
        aria-describedby="mistakes"
        placeholder=${hint}
        wrap="off"
        spellcheck="false"
        autocapitalize="off"
        rows=${Math.max(lines, 16)}
        value=${text}
        onInput=${(event) => write(event.target.value)}
      ></textarea>
    </div>
    <ol id="mistakes" class="mistakes" role="alert">
      ${mistakes.toSorted((one, other) => one.line - other.line).map(
        (one) => html`
          <li key=${`${one.line} ${one.message}`}>
            <button type="button" onClick=${() => go(one.line)}>${say("planLine", one.line)}</button> ${one.message}
          </li>
        `,
      )}
    </ol>
  `;
}
