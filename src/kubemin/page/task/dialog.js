// A dialogue that the browser itself makes modal: Escape closes it, and the focus comes back to where it was.

import { html, useEffect, useRef } from "../vendor/htm-preact.js";

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
