// How far the rollback is, and what it came to: the sentence, or what is not as it was.

import { html, useState } from "../vendor/htm-preact.js";
import { Time } from "../parts.js";
import { post } from "../server.js";
import { say } from "../words.js";
import { Dialog } from "./dialog.js";
import { Names } from "./names.js";
import { goesBack, isOver, isUndoing } from "./states.js";

const NUMBERS = ["deleted", "restored", "unchanged", "released", "kept"];

export function Cleanup({ id, model, again }) {
  const { status } = model;
  const { cleanup } = status;
  if (!isOver(status)) return null;
  const back = goesBack(status);
  const colour = cleanup.exceptions.length ? "amber" : cleanup.state;
  return html`
    <section class=${`outcome ${colour}`} aria-label=${say(back ? "rollback" : "outcome")}>
      ${back && model.left.all > 0 && html`<${Progress} left=${model.left} />`}
      <div role="status"><${Outcome} model=${model} /></div>
      ${cleanup.exceptions.length > 0 && html`<${Names} rows=${cleanup.exceptions} />`}
      ${cleanup.remaining.length > 0 && !isUndoing(status) && html`<${Names} rows=${cleanup.remaining} />`}
      ${cleanup.volumes.length > 0 &&
      html`<p>${say("volumesStay")}</p><${Names} rows=${cleanup.volumes} />`}
      ${cleanup.state === "incomplete" && html`<${Open} id=${id} cleanup=${cleanup} again=${again} />`}
    </section>
  `;
}

function Progress({ left }) {
  const text = say("putBack", left.done, left.all);
  return html`
    <p class="progress">
      <progress max=${left.all || 1} value=${left.done} aria-label=${text}></progress>${" "}<span>${text}</span>
    </p>
  `;
}

function Outcome({ model: { status, left } }) {
  const { cleanup } = status;
  const counted = NUMBERS.filter((name) => cleanup[name]).map((name) => `${cleanup[name]} ${name}`).join(", ");
  const completed = status.status === "completed";
  if (isUndoing(status)) return html`<p>${say(completed ? "removing" : "rollingBack")}</p>`;
  switch (cleanup.state) {
    case "done":
      if (completed) return html`<p class="sentence">${say("completedRemoved", counted)}</p>`;
      if (cleanup.exceptions.length) return html`<p class="sentence">${say("asItWasExcept")}</p>`;
      return html`<p class="sentence">${say("asItWas")}</p>${counted && html`<p>${counted}</p>`}`;
    case "incomplete":
      return html`<p class="sentence">${say(completed ? "removalIncomplete" : "cleanupIncomplete")}</p>`;
    case "abandoned":
      return html`<p class="sentence">${say("abandoned", cleanup.abandoned)}</p>`;
    default:
      if (completed) return html`<p class="sentence">${say("completed")}</p>`;
      return html`<p class="sentence">${say(left.all ? "leftAsItIs" : "nothingToUndo")}</p>`;
  }
}

// An incomplete cleanup is tried again by itself; a person may have that now, or give it up.
function Open({ id, cleanup, again }) {
  const [asks, ask] = useState(false);
  const [error, failed] = useState("");
  const path = `workflow/tasks/${encodeURIComponent(id)}/cleanup`;
  const send = async (body) => {
    try {
      await post(path, body);
      failed("");
      again();
      return true;
    } catch (refused) {
      failed(refused.message);
      return false;
    }
  };
  return html`
    <p>
      ${say("attempts", cleanup.attempts)}${" "}
      ${cleanup.nextTime && html`${say("nextTime")}${" "}<${Time} at=${cleanup.nextTime} />`}
    </p>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <p class="buttons">
      <button type="button" onClick=${() => send({})}>${say("tryAgain")}</button>
      <button type="button" onClick=${() => ask(true)}>${say("giveUp")}</button>
    </p>
    ${asks && html`<${GiveUp} cleanup=${cleanup} send=${send} close=${() => ask(false)} />`}
  `;
}

function GiveUp({ cleanup, send, close }) {
  const [reason, write] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    await send({ abandon: true, ...(reason.trim() && { reason: reason.trim() }) });
    close();
  };
  return html`
    <${Dialog} title=${say("giveUpTitle")} close=${close}>
      <form onSubmit=${submit}>
        <p>${say("giveUpMeans")}</p>
        <${Names} rows=${cleanup.remaining} />
        <label class="field">
          ${say("reason")}
          <input type="text" maxlength="1000" value=${reason} onInput=${(event) => write(event.target.value)} />
        </label>
        <p class="buttons">
          <button type="submit" class="danger">${say("giveUpNow")}</button>
          <button type="button" onClick=${close}>${say("goOn")}</button>
        </p>
      </form>
    <//>
  `;
}
