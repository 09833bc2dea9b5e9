// The question before Pods are replaced.

import { html, useState } from "../vendor/htm-preact.js";
import { Ask, useBegin } from "../ask.js";
import { say } from "../words.js";

const ABLE = ["webservice", "store", "daemon"];

export function Restart({ path, components, close }) {
  const able = components.filter((one) => one.deployed && ABLE.includes(one.type)).map((one) => one.name);
  const [left, leave] = useState([]); // those that stay as they are
  const chosen = able.filter((one) => !left.includes(one));
  const toggle = (name) => leave(left.includes(name) ? left.filter((one) => one !== name) : [...left, name]);
  const begin = useBegin();
  const act = () => begin("POST", `${path}/restart`, { body: { components: chosen } });
  return html`
    <${Ask} title=${say("restartAsk")} action=${say("appRestart")} act=${act} close=${close} ready=${chosen.length > 0}>
      <p>${say(able.length > 0 ? "restartWhat" : "restartNothing")}</p>
      <fieldset class="choices">
        <legend>${say("components")}</legend>
        ${able.map(
          (name) => html`
            <label key=${name}>
              <input type="checkbox" checked=${!left.includes(name)} onChange=${() => toggle(name)} /> ${name}
            </label>
          `,
        )}
      </fieldset>
    <//>
  `;
}
