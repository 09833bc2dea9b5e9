// One task: what it does and did, as a picture that runs backwards while its rollback does.

import { html, useMemo, useState } from "../vendor/htm-preact.js";
import { Loaded } from "../parts.js";
import { say } from "../words.js";
import { Axis } from "./axis.js";
import { Cleanup } from "./cleanup.js";
import { Evidence } from "./evidence.js";
import { Head } from "./head.js";
import { usePart, useTask } from "./live.js";
import { ObjectDialog } from "./object.js";
import { Picture } from "./picture.js";

export function Task({ id }) {
  const task = useTask(id);
  return html`<${Loaded} from=${task}>${(model) => html`<${Whole} id=${id} model=${model} again=${task.again} />`}<//>`;
}

function Whole({ id, model, again }) {
  usePart(model, "head");
  const [row, show] = useState();
  const hasEvidence = model.status.evidence.length > 0;
  // The same each time, so that it is passed over here: its parts look for themselves when they change.
  const large = useMemo(() => html`<${Large} model=${model} show=${show} />`, [model]);
  return html`
    <div>
      <${Head} id=${id} model=${model} again=${again} />
      <${Cleanup} id=${id} model=${model} again=${again} />
      <div class=${hasEvidence ? "beside" : ""}>
        ${large} ${hasEvidence && html`<${Evidence} id=${id} />`}
      </div>
      ${row && html`<${ObjectDialog} id=${id} row=${row} close=${() => show(undefined)} />`}
    </div>
  `;
}

const Large = ({ model, show }) => html`
  <div>
    <section aria-labelledby="picture">
      <h2 id="picture">${say("objects")}</h2>
      <${Picture} model=${model} show=${show} />
    </section>
    <section aria-labelledby="axis">
      <h2 id="axis">${say("timeline")}</h2>
      <${Axis} model=${model} />
    </section>
  </div>
`;
