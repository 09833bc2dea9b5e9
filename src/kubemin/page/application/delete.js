// The question before an application is deleted: what goes and what stays.

import { html, useState } from "../vendor/htm-preact.js";
import { Ask, useBegin } from "../ask.js";
import { Objects } from "../objects.js";
import { Loaded } from "../parts.js";
import { remove } from "../server.js";
import { useOnce } from "../use.js";
import { say } from "../words.js";

const PARTS = [
  ["removes", "deleteRemoves"],
  ["keeps", "keeps"],
  ["releases", "releases"],
  ["passes", "passes"],
];

export function Delete({ path, application, close }) {
  const [{ keepResources, deleteVolumes }, set] = useState({ keepResources: false, deleteVolumes: false });
  const options = { keepResources, deleteVolumes };
  const found = useOnce(() => remove(path, { ...options, dryRun: true }), [path, keepResources, deleteVolumes]);
  const choice = (name, word, disabled) => html`
    <label>
      <input
        type="checkbox"
        checked=${options[name]}
        disabled=${disabled}
        onChange=${(event) => set({ ...options, [name]: event.target.checked })}
      />${" "}${say(word)}
    </label>
  `;
  const begin = useBegin();
  const act = () => begin("DELETE", path, { query: options });
  return html`
    <${Ask}
      title=${say("deleteAsk", `${application.namespace}/${application.name}`)}
      action=${say("appDelete")}
      act=${act}
      close=${close}
      ready=${found.value !== undefined}
      danger
    >
      <fieldset class="choices">
        <legend>${say("deleteOptions")}</legend>
        ${choice("keepResources", "deleteKeepResources", deleteVolumes)}
        ${choice("deleteVolumes", "deleteVolumes", keepResources)}
      </fieldset>
      <${Loaded} from=${found}>${(goes) => html`<${Goes} of=${goes} />`}<//>
    <//>
  `;
}

function Goes({ of }) {
  const shown = PARTS.filter(([name]) => of[name].length > 0);
  if (shown.length === 0) return html`<p>${say("deleteNothing")}</p>`;
  return shown.map(
    ([name, word]) => html`
      <section key=${name}>
        <h3>${say(word, of[name].length)}</h3>
        <${Objects} rows=${of[name].map((ref) => ({ ref }))} />
      </section>
    `,
  );
}
