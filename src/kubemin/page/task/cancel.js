// What a cancel would do, and the cancel.

import { Ask } from "../ask.js";
import { Objects } from "../objects.js";
import { html, useState } from "../vendor/htm-preact.js";
import { Field } from "../parts.js";
import { post } from "../server.js";
import { say } from "../words.js";
import { usePart } from "./live.js";
import { cancelPreview } from "./states.js";

export function CancelDialog({ model, close }) {
  usePart(model, "head"); // the task goes on while somebody reads
  const [cleanup, choose] = useState("task");
  const [reason, write] = useState("");
  const { status } = model;
  const act = async () => {
    const body = { taskId: status.taskId, cleanup, ...(reason.trim() && { reason: reason.trim() }) };
    await post(`applications/${encodeURIComponent(status.appId)}/workflow/cancel`, body);
    close();
  };
  const choice = (value) => html`
    <label>
      <input type="radio" name="cleanup" checked=${cleanup === value} onChange=${() => choose(value)} />
      ${" "}${say(value === "task" ? "undoAll" : "undoNothing")}
    </label>
  `;
  return html`
    <${Ask} title=${say("cancelTitle")} action=${say("cancelNow")} act=${act} close=${close} danger>
      <fieldset class="choices">
        <legend>${say("cancelWhat")}</legend>
        ${choice("task")}${choice("none")}
      </fieldset>
      <${Preview} model=${model} undoes=${cleanup === "task"} />
      <${Field} word="reason" value=${reason} write=${write} />
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
      html`<section key=${title}><h3>${say(title, rows.length)}</h3><${Objects} rows=${rows} /></section>`,
  );
}
