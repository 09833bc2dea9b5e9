// What a run would do, by object: its action, and the fields that change.

import { html, useState } from "../vendor/htm-preact.js";
import { Objects, refOf } from "../objects.js";
import { State, Wide } from "../parts.js";
import { say } from "../words.js";

export const isRefused = ({ stages }) => stages.some(({ jobs }) => jobs.some(({ action }) => action === "refused"));

export function Preview({ of }) {
  const [all, showAll] = useState(false);
  const jobs = of.stages.flatMap((stage, place) => stage.jobs.map((job) => ({ ...job, stage: place + 1 })));
  const same = jobs.filter((one) => one.action === "same").length;
  const shown = all ? jobs : jobs.filter((one) => one.action !== "same" || one.warnings.length > 0);
  return html`
    <div>
      <p role="status">${summary(jobs)}</p>
      ${isRefused(of) && html`<p class="error" role="alert">${say("previewRefused")}</p>`}
      <${Group} word="previewCreates" rows=${of.creates} />
      ${shown.length > 0 && html`<${Jobs} rows=${shown} />`}
      ${same > 0 &&
      html`<p>
        <label>
          <input type="checkbox" checked=${all} onChange=${() => showAll(!all)} /> ${say("previewSame", same)}
        </label>
      </p>`}
      ${of.stages.map(({ hold }, place) => hold && html`<p key=${place}>${say("previewHold", place + 1, hold)}</p>`)}
      <${Group} word="previewRemoves" rows=${of.removes} />
      <${Group} word="releases" rows=${of.releases} />
      <${Group} word="passes" rows=${of.passes} />
      <${Group} word="keeps" rows=${of.keeps} />
    </div>
  `;
}

function summary(jobs) {
  const numbers = new Map();
  for (const { action } of jobs) numbers.set(action, (numbers.get(action) ?? 0) + 1);
  return [...numbers].map(([action, number]) => `${number} ${action}`).join(", ");
}

const Jobs = ({ rows }) => html`
  <${Wide} name=${say("previewTitle")}>
    <table>
      <thead>
        <tr>
          <th scope="col">${say("previewStage")}</th>
          <th scope="col">${say("previewObject")}</th>
          <th scope="col">${say("previewAction")}</th>
          <th scope="col">${say("previewFields")}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (one) => html`
            <tr key=${one.id}>
              <td class="number">${one.stage}</td>
              <th scope="row">${refOf(one)}${one.hook && html`<div><small>${one.hook}</small></div>`}</th>
              <td><${State} of=${one.action} /></td>
              <td class="lines">
                ${one.changes.map((line) => html`<div key=${line}>${line}</div>`)}
                ${one.warnings.map((line) => html`<div key=${line} class="warning">${say("previewWarning", line)}</div>`)}
              </td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  <//>
`;

function Group({ word, rows }) {
  if (rows.length === 0) return null;
  return html`
    <section>
      <h3>${say(word, rows.length)}</h3>
      <${Objects} rows=${rows} />
    </section>
  `;
}
