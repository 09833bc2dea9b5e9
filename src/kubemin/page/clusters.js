// Which clusters there are: said, and filtered by, where there are several.

import { html } from "./vendor/htm-preact.js";
import { get } from "./server.js";
import { useOnce } from "./use.js";
import { say } from "./words.js";

// Their names.
export function useClusters() {
  const found = useOnce(() => get("clusters"), []);
  return (found.value?.clusters ?? []).map((one) => one.name);
}

// Which one is meant where nobody has chosen.
export const usual = (clusters) => (clusters.includes(DEFAULT) ? DEFAULT : clusters[0]);
const DEFAULT = "default";

// `all`: whether any may be chosen, and not only one of them.
export const ClusterFilter = ({ of, value, choose, all = true }) =>
  of.length > 1 &&
  html`
    <label>
      ${say("cluster")}${" "}
      <select value=${value} onChange=${(event) => choose(event.target.value)}>
        ${all && html`<option value="">${say("any")}</option>`}
        ${of.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
      </select>
    </label>
  `;
