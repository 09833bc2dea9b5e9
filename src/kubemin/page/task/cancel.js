// What a cancel would do, and the cancel.

import { html, useState } from "../vendor/htm-preact.js";
import { post } from "../server.js";
import { say } from "../words.js";
import { Dialog } from "./dialog.js";
import { usePart } from "./live.js";
import { Names } from "./names.js";
import { cancelPreview } from "./states.js";

export function CancelDialog({ model, close }) {
  usePart(model, "head"); // the task goes on while somebody reads
  const [cleanup, choose] = useState("task");
  const [reason, write] = useState("");
  const [state, set] = useState({ busy: false, error: "" });
  const { status } = model;
  const cancel = async (event) => {
    event.preventDefault();
    set({ busy: true, error: "" });
    const body = { taskId: status.taskId, cleanup, ...(reason.trim() && { reason: reason.trim() }) };
    try {
      await post(`applications/${encodeURIComponent(status.appId)}/workflow/cancel`, body);
      close();
    } catch (error) {
      set({ busy: false, error: error.message });
    }
  };
  const choice = (value) => html`
    <label>
      <input type="radio" name="cleanup" checked=${cleanup === value} onChange=${() => choose(value)} />
      ${" "}${say(value === "task" ? "undoAll" : "undoNothing")}
    </label>
  `;
  return html`
    <${Dialog} title=${say("cancelTitle")} close=${close}>
      <form onSubmit=${cancel}>
        <fieldset>
          <legend>${say("cancelWhat")}</legend>
          ${choice("task")}${choice("none")}
        </fieldset>
        <${Preview} model=${model} undoes=${cleanup === "task"} />
        <label class="field">
          ${say("reason")}
          <input type="text" maxlength="1000" value=${reason} onInput=${(event) => write(event.target.value)} />
        </label>
        ${state.error && html`<p class="error" role="alert">${state.error}</p>`}
        <p class="buttons">
          <button type="submit" class="danger" disabled=${state.busy}>${say("cancelNow")}</button>
          <button type="button" onClick=${close}>${say("goOn")}</button>
        </p>
      </form>
    <//>
  `;
}

function Preview({ model, undoes }) {
  const found = cancelPreview(model.rows.values(), model.status.restore);
  const { deleted, restored, unsure, stays } = found;
  const all = [...deleted, ...restored, ...unsure, ...stays];
  if (all.length === 0) return html`<p>${say("nothingWritten")}</p>`;
  const shown = undoes
    ? [["wouldDelete", deleted], ["wouldRestore", restored], ["wouldLook", unsure], ["wouldStay", stays]]
    : [["wouldStay", all]];
  return shown.map(
    ([title, rows]) =>
      rows.length > 0 &&
      html`<section key=${title}><h3>${say(title, rows.length)}</h3><${Names} rows=${rows} /></section>`,
  );
}
