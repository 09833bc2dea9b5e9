// What is done when somebody asks for it, and the question before it.

import { mistake, told } from "./codes.js";
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { begin } from "./server.js";
import { follow } from "./use.js";
import { say } from "./words.js";

// Something that is done once when asked to: {busy, error, run}. `act` is given what `run` is given.
export function useAction(act) {
  const [state, set] = useState({ busy: false, error: undefined });
  const run = async (...given) => {
    set({ busy: true, error: undefined });
    try {
      await act(...given);
      set({ busy: false, error: undefined });
    } catch (error) {
      set({ busy: false, error });
    }
  };
  return { ...state, run };
}

// Begins a task and goes to see it. The same request, asked for again as its answer was lost, is the same task.
export function useBegin() {
  const last = useRef({});
  return async (method, path, given) => {
    const request = JSON.stringify([method, path, given]);
    if (last.current.request !== request) last.current = { request, key: randomKey() };
    follow(await begin(method, path, last.current.key, given));
  };
}

// Not `randomUUID`, which a page has over HTTPS or on its own machine only.
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");

// What is wrong, and each field of it.
export function Wrong({ error }) {
  if (!error) return null;
  const more = (error.errors ?? []).filter((one) => !error.message.includes(one.message));
  return html`
    <div class="error" role="alert">
      <p>${told(error)}</p>
      ${more.length > 0 && html`<ul>${more.map((one) => html`<li>${one.field}: ${mistake(one)}</li>`)}</ul>`}
    </div>
  `;
}

// Modal, closed by Escape, and the focus goes back to where it was: the browser does all three.
export function Dialog({ title, close, children }) {
  const place = useRef();
  useEffect(() => {
    place.current.showModal();
  }, []);
  return html`
    <dialog ref=${place} aria-labelledby="dialog-title" onClose=${close}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
    </dialog>
  `;
}

// `act` does it, and may fail; `ready`: what will happen is known, and shown as `children`.
export function Ask({ title, action, act, close, danger = false, ready = true, children }) {
  const doing = useAction(act);
  const submit = (event) => {
    event.preventDefault();
    doing.run();
  };
  return html`
    <${Dialog} title=${title} close=${close}>
      <form onSubmit=${submit}>
        ${children}
        <${Wrong} error=${doing.error} />
        <p class="buttons">
          <button type="submit" class=${danger ? "danger" : "main"} disabled=${!ready || doing.busy}>${action}</button>
          <button type="button" onClick=${close}>${say("askNo")}</button>
        </p>
      </form>
    <//>
  `;
}
