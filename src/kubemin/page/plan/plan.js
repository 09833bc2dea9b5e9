// An application is written or pasted, previewed, and deployed as it was read. Below an application's id: its draft.

import { html, useState } from "../vendor/htm-preact.js";
import { useAction, useBegin, Wrong } from "../ask.js";
import { warning } from "../codes.js";
import { ClusterFilter, useClusters, usual } from "../clusters.js";
import { Field, Loaded } from "../parts.js";
import { useKept } from "../kept.js";
import { document, get, post } from "../server.js";
import { useOnce } from "../use.js";
import { say } from "../words.js";
import { Editor } from "./editor.js";
import { isRefused, Preview } from "./preview.js";

const HINT = `name: shop
component:
  - name: web
    type: webservice
    image: nginx:1.29
    properties:
      ports: [{port: 80}]
`;
// Kubernetes objects, which become an application; one of ours has them below `component`.
const isPlain = (text) => /^(apiVersion|kind):/m.test(text) || (/^\s*\{/.test(text) && /"apiVersion"/.test(text) && !/"component"/.test(text));
const OPTIONS = { createNamespace: "planCreateNamespace", adopt: "planAdopt", takeOver: "planTakeOver" };

// What is filled in.
const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));

export const Plan = ({ parts }) => (parts.length ? html`<${OfDraft} key=${parts[0]} id=${parts[0]} />` : html`<${Write} />`);

function OfDraft({ id }) {
  const found = useOnce(() => get(`applications/${encodeURIComponent(id)}/revisions/draft`), [id]);
  return html`
    <${Loaded} from=${found}>
      ${({ application }) => html`<${Write} start=${`${JSON.stringify(application, null, 2)}\n`} />`}
    <//>
  `;
}

function Write({ start = "" }) {
  const [kept, forget] = useKept(() =>
    text === start ? undefined : { text, options, note, name, namespace, cluster: chosen },
  );
  const [text, write] = useState(kept?.text ?? start);
  const [options, choose] = useState(kept?.options ?? {});
  const [note, annotate] = useState(kept?.note ?? "");
  const [name, rename] = useState(kept?.name ?? "");
  const [namespace, place] = useState(kept?.namespace ?? "");
  const [chosen, put] = useState(kept?.cluster ?? "");
  const clusters = useClusters();
  const cluster = chosen || usual(clusters);
  const plain = isPlain(text);
  const schema = useOnce(document, []).value;
  const [found, set] = useState(null); // what was found, and of which text and options
  const look = useAction(async () => {
    set(null);
    const called = plain ? given({ name: name.trim(), namespace: namespace.trim(), cluster }) : {};
    const { errors, warnings, application } = await post("applications/read", { text, ...called });
    set({ text, options, errors, warnings });
    if (!application) return;
    const body = { application, ...options };
    set({ text, options, errors, warnings, body, preview: await post("apply", { ...body, dryRun: true }) });
  });
  const begin = useBegin();
  const deploy = useAction(async ({ body, preview }) => {
    await begin("POST", "apply", { body: { ...body, expects: preview.expects, ...(note.trim() && { note: note.trim() }) } });
    forget();
  });
  const fresh = found !== null && found.text === text && found.options === options;
  const mistakes = found !== null && found.text === text ? found.errors : [];
  return html`
    <h1>${say("plan")}</h1>
    <p>${say("planWhat")}</p>
    <${Editor} text=${text} write=${write} mistakes=${mistakes} hint=${HINT} schema=${schema} />
    ${plain &&
    html`<fieldset class="choices">
      <legend>${say("planPlain")}</legend>
      <${Field} word="planName" value=${name} write=${(value) => (rename(value), set(null))} />
      <${Field} word="planNamespace" value=${namespace} write=${(value) => (place(value), set(null))} />
      <${ClusterFilter}
        of=${clusters}
        value=${cluster}
        choose=${(value) => (put(value), set(null))}
        all=${false}
      />
    </fieldset>`}
    <fieldset class="choices">
      <legend>${say("planOptions")}</legend>
      ${Object.entries(OPTIONS).map(
        ([name, word]) => html`
          <label key=${name}>
            <input
              type="checkbox"
              checked=${options[name] ?? false}
              onChange=${(event) => choose(({ [name]: _, ...rest }) => (event.target.checked ? { ...rest, [name]: true } : rest))}
            />${" "}${say(word)}
          </label>
        `,
      )}
    </fieldset>
    <p class="buttons">
      <button type="button" class="main" disabled=${look.busy || text.trim() === ""} onClick=${() => look.run()}>
        ${say("planPreview")}
      </button>
    </p>
    <div aria-live="polite">
      <${Wrong} error=${look.error} />
      ${look.busy && html`<p>${say("loading")}</p>`}
      ${fresh && found.warnings.length > 0 && html`<${Warnings} rows=${found.warnings} />`}
    </div>
    ${fresh && found.preview && html`<${Deploy} found=${found} deploy=${deploy} note=${note} annotate=${annotate} />`}
  `;
}

const Warnings = ({ rows }) => html`
  <ul class="mistakes">
    ${rows.map((one) => html`<li key=${one.message}>${say("planLine", one.line)}: ${warning(one)}</li>`)}
  </ul>
`;

const Deploy = ({ found, deploy, note, annotate }) => html`
  <section>
    <h2>${say("previewTitle")}</h2>
    <${Preview} of=${found.preview} />
    <${Field} word="historyNote" value=${note} write=${annotate} />
    <${Wrong} error=${deploy.error} />
    <p class="buttons">
      <button
        type="button"
        class="main"
        disabled=${deploy.busy || isRefused(found.preview)}
        onClick=${() => deploy.run(found)}
      >
        ${say("planDeploy")}
      </button>
    </p>
  </section>
`;
