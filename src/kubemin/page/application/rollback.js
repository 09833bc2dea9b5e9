// The question before a rollback or a redeploy: it shows what will happen, and does just that or nothing.

import { html, useState } from "../vendor/htm-preact.js";
import { Ask, useBegin } from "../ask.js";
import { Field, Loaded } from "../parts.js";
import { isRefused, Preview } from "../plan/preview.js";
import { post } from "../server.js";
import { useOnce } from "../use.js";
import { say } from "../words.js";

// `again`: it is no way back, since it is deployed, or never was.
export function Rollback({ path, revision, again, current, close }) {
  const found = useOnce(() => post(`${path}/rollback`, { revision, dryRun: true }), [path, revision]);
  const [note, write] = useState("");
  const begin = useBegin();
  const act = () => {
    const { expects } = found.value;
    const body = { revision, expects, ...(note.trim() && { note: note.trim() }) };
    return begin("POST", `${path}/rollback`, { body });
  };
  return html`
    <${Ask}
      title=${say(again ? "redeployAsk" : "rollBackAsk", revision)}
      action=${say(again ? "redeploy" : "rollBack")}
      act=${act}
      close=${close}
      ready=${found.value !== undefined && !isRefused(found.value)}
    >
      <p>${say(again ? "redeployWhat" : "rollBackWhat", revision, current ?? "–")}</p>
      <${Loaded} from=${found}>${(preview) => html`<${Preview} of=${preview} />`}<//>
      <${Field} word="historyNote" value=${note} write=${write} />
    <//>
  `;
}
