// A text with numbers at its lines, and what may be written where the cursor is. `mistakes` are marked at their lines.

import { mistake } from "../codes.js";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { say } from "../words.js";
import { complete } from "./complete.js";
import { LIST, option, Suggestions } from "./suggestions.js";

const LINE = 1.5; // em, as in the style sheet

export function Editor({ text, write, mistakes, hint, schema }) {
  const field = useRef();
  const [list, offer] = useState(null); // {start, words, chosen}
  const lines = text.split("\n").length;
  const look = () => {
    const { value, selectionStart, selectionEnd } = field.current;
    const found = schema && selectionStart === selectionEnd ? complete(value, selectionStart, schema) : null;
    offer(found && { ...found, chosen: -1 });
  };
  useEffect(() => {
    if (document.activeElement === field.current) look(); // what was asked before the schema was there
  }, [schema]);
  const input = (event) => {
    write(event.target.value);
    look();
  };
  const take = (word) => {
    field.current.setSelectionRange(list.start, field.current.selectionEnd);
    insert(word);
    offer(null);
  };
  const key = (event) => {
    if (event.key === " " && event.ctrlKey) return act(event, look);
    if (list && event.key === "Escape") return act(event, () => offer(null));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (list && step) {
      return act(event, () => offer({ ...list, chosen: (list.chosen + step + list.words.length) % list.words.length }));
    }
    if (list && list.chosen >= 0 && ["Enter", "Tab"].includes(event.key)) {
      return act(event, () => take(list.words[list.chosen].text));
    }
    if (event.key === "Enter" && !event.isComposing) return act(event, () => insert(`\n${indent(field.current)}`));
  };
  const at = list && text.slice(0, list.start).split("\n");
  return html`
    <div class="editor">
      <pre class="gutter" aria-hidden="true">${Array.from({ length: lines }, (_, line) => line + 1).join("\n")}</pre>
      <div class="paper">
        ${[...new Set(mistakes.map((one) => one.line))].map(
          (line) => html`<div key=${line} class="mark" style=${{ "--row": line - 1 }} aria-hidden="true"></div>`,
        )}
        <textarea
          ref=${field}
          aria-label=${say("application")}
          aria-invalid=${mistakes.length > 0 ? "true" : "false"}
          aria-describedby="mistakes"
          aria-autocomplete="list"
          aria-controls=${list ? LIST : undefined}
          aria-activedescendant=${list && list.chosen >= 0 ? option(list.chosen) : undefined}
          placeholder=${hint}
          wrap="off"
          spellcheck="false"
          autocapitalize="off"
          rows=${Math.max(lines + 1, 16)}
          value=${text}
          onInput=${input}
          onKeyDown=${key}
          onClick=${() => offer(null)}
          onBlur=${() => offer(null)}
        ></textarea>
        ${list && html`<${Suggestions} ...${list} line=${at.length - 1} column=${at.at(-1).length} take=${take} />`}
      </div>
    </div>
    <ol id="mistakes" class="mistakes" role="alert">
      ${mistakes.toSorted((one, other) => one.line - other.line).map(
        (one) => html`
          <li key=${`${one.line} ${one.message}`}>
            <button type="button" onClick=${() => go(field.current, one.line)}>${say("planLine", one.line)}</button>${" "}
            ${mistake(one)}
          </li>
        `,
      )}
    </ol>
  `;
}

function act(event, done) {
  event.preventDefault();
  done();
}

// As if it were typed, so that it can be undone. (What says so instead, `setRangeText`, forgets how to undo.)
const insert = (text) => document.execCommand("insertText", false, text);

// A new line is as deep as the one before, or deeper below a key.
function indent({ value, selectionStart }) {
  const line = value.slice(0, selectionStart).split("\n").at(-1);
  const [, blanks, marks] = /^(\s*)((?:- +)*)/.exec(line);
  return " ".repeat(blanks.length + marks.length + (/:\s*$/.test(line) ? 2 : 0));
}

// Choose a line, and show it.
function go(field, line) {
  const start = field.value.split("\n").slice(0, line - 1).reduce((length, one) => length + one.length + 1, 0);
  const end = field.value.indexOf("\n", start);
  field.focus();
  field.setSelectionRange(start, end < 0 ? field.value.length : end);
  const size = parseFloat(getComputedStyle(field).fontSize);
  field.closest(".editor").scrollTop = Math.max(0, (line - 4) * LINE * size);
}
