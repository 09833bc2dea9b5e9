// What the Pods said, before the rollback removed them.

import { html } from "../vendor/htm-preact.js";
import { Loaded, Time } from "../parts.js";
import { get } from "../server.js";
import { useOnce } from "../use.js";
import { say } from "../words.js";

export function Evidence({ id }) {
  const path = `workflow/tasks/${encodeURIComponent(id)}/evidence`;
  const found = useOnce(() => get(path), [path]); // it is complete once it is there
  return html`
    <aside class="evidence" aria-labelledby="evidence">
      <h2 id="evidence">${say("evidence")}</h2>
      <${Loaded} from=${found}>
        ${(value) =>
          value.components.map(
            (one) => html`
              <section key=${one.name}>
                <h3>${one.name}</h3>
                ${one.note && html`<p>${one.note}</p>`}
                ${one.pods.map((pod) => html`<${Pod} key=${pod.name} of=${pod} />`)}
              </section>
            `,
          )}
      <//>
    </aside>
  `;
}

function Pod({ of: pod }) {
  return html`
    <details open=${(pod.containers ?? []).some((one) => !one.ready)}>
      <summary><code>${pod.name}</code>${" "}${pod.state?.phase}</summary>
      ${pod.note && html`<p>${pod.note}</p>`}
      ${(pod.containers ?? []).map((one) => html`<${Container} key=${one.name} of=${one} />`)}
      ${pod.events?.length > 0 &&
      html`
        <h4>${say("podEvents")}</h4>
        <ul>
          ${pod.events.map(
            (event, place) => html`
              <li key=${place}>
                <b>${event.reason}</b>${event.count > 1 && ` ×${event.count}`}: ${event.message}${" "}
                <${Time} at=${event.at} />
              </li>
            `,
          )}
        </ul>
      `}
    </details>
  `;
}

function Container({ of: one }) {
  const waits = Object.entries(one.state ?? {}).map(([state, more]) =>
    [state, more?.reason, more?.message].filter(Boolean).join(": "),
  );
  return html`
    <h4>${one.name}</h4>
    <p>${waits.join("; ")}${one.restarts > 0 && ` · ${say("restarts", one.restarts)}`}</p>
    ${one.note && html`<p>${one.note}</p>`}
    ${one.log && html`<${Log} title=${say("log")} text=${one.log} />`}
    ${one.previousLog && html`<${Log} title=${say("previousLog")} text=${one.previousLog} />`}
  `;
}

const Log = ({ title, text }) => html`
  <p>${title}</p>
  <pre class="log" tabindex="0" role="region" aria-label=${title}>${text}</pre>
`;
