// How far the rollback is, and what it came to: the sentence, or what is not as it was.

import { useAction, Wrong } from "../ask.js";
import { GiveUp } from "../giveup.js";
import { Objects } from "../objects.js";
import { html, useState } from "../vendor/htm-preact.js";
import { Time } from "../parts.js";
import { post } from "../server.js";
import { useMay } from "../session.js";
import { say } from "../words.js";
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
      ${cleanup.exceptions.length > 0 && html`<${Objects} rows=${cleanup.exceptions} />`}
      ${cleanup.remaining.length > 0 && !isUndoing(status) && html`<${Objects} rows=${cleanup.remaining} />`}
      ${cleanup.volumes.length > 0 &&
      html`<p>${say("volumesStay")}</p><${Objects} rows=${cleanup.volumes} />`}
      ${cleanup.state === "incomplete" && html`<${Open} id=${id} appId=${status.appId} name=${status.appName} cleanup=${cleanup} again=${again} />`}
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
function Open({ id, appId, name, cleanup, again }) {
  const may = useMay("deployer", appId);
  const [asked, ask] = useState(false);
  const retry = useAction(async () => {
    await post(`workflow/tasks/${encodeURIComponent(id)}/cleanup`);
    again();
  });
  return html`
    <p>
      ${say("attempts", cleanup.attempts)}${" "}
      ${cleanup.nextTime && html`${say("nextTime")}${" "}<${Time} at=${cleanup.nextTime} />`}
    </p>
    <${Wrong} error=${retry.error} />
    ${may &&
    html`<p class="buttons">
      <button type="button" disabled=${retry.busy} onClick=${() => retry.run()}>${say("tryAgain")}</button>
      <button type="button" class="danger" onClick=${() => ask(true)}>${say("giveUp")}</button>
    </p>`}
    ${asked &&
    html`<${GiveUp} taskId=${id} name=${name} again=${again} close=${() => ask(false)}>
      <${Objects} rows=${cleanup.remaining} />
    <//>`}
  `;
}
