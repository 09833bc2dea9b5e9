// The question before a cleanup is given up. `children`: what is left.

import { Ask } from "./ask.js";
import { html, useState } from "./vendor/htm-preact.js";
import { Field } from "./parts.js";
import { post } from "./server.js";
import { say } from "./words.js";

export function GiveUp({ taskId, name, again, close, children }) {
  const [reason, write] = useState("");
  const act = async () => {
    const body = { abandon: true, ...(reason.trim() && { reason: reason.trim() }) };
    await post(`workflow/tasks/${encodeURIComponent(taskId)}/cleanup`, body);
    close();
    again();
  };
  return html`
    <${Ask} title=${say("giveUpAsk", name)} action=${say("giveUpNow")} act=${act} close=${close} danger>
      ${children}
      <p>${say("giveUpMeans")}</p>
      <${Field} word="reason" value=${reason} write=${write} />
    <//>
  `;
}
