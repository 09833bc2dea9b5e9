// Who one is here, what one may, and the API tokens.

import { html, useState } from "./vendor/htm-preact.js";
import { Ask, Dialog, useAction, Wrong } from "./ask.js";
import { Field, Loaded, State, Time, Wide } from "./parts.js";
import { get, post, remove } from "./server.js";
import { useSession } from "./session.js";
import { useLive } from "./use.js";
import { say } from "./words.js";

const ROLES = ["viewer", "deployer", "admin"];
const DAYS = 90;
const PARTS = [["namespaces", "namespace"], ["projects", "accessProject"], ["applications", "application"], ["clusters", "cluster"]];

// A grant in words: the role, and what it is for.
function granted(grant) {
  const named = PARTS.filter(([part]) => grant[part] && !grant[part].includes("*"));
  if (named.length === 0) return `${grant.role}: ${say("accessEverything")}`;
  return `${grant.role}: ${named.map(([part, word]) => `${say(word)} ${grant[part].join(", ")}`).join("; ")}`;
}

const Grants = ({ of }) => html`<ul class="plain">${of.map((one) => html`<li key=${granted(one)}>${granted(one)}</li>`)}</ul>`;

export function Access() {
  const session = useSession();
  const { name, grants, groups, expires } = session.who;
  const found = useLive((signal) => get("tokens", {}, signal), [], { types: [] });
  const [asked, ask] = useState(null); // "new", or a token to revoke
  const [made, show] = useState(null);
  const close = () => ask(null);
  return html`
    <h1>${name}</h1>
    <${Grants} of=${grants} />
    <dl class="facts">
      ${groups.length > 0 && html`<div><dt>${say("accessGroups")}</dt><dd>${groups.join(", ")}</dd></div>`}
      ${expires && html`<div><dt>${say("accessUntil")}</dt><dd><${Time} at=${expires} /></dd></div>`}
    </dl>
    <section>
      <h2>${say("tokens")}</h2>
      ${session.mayAll("admin") &&
      html`<p class="buttons"><button type="button" onClick=${() => ask("new")}>${say("tokenNew")}</button></p>`}
      <${Loaded} from=${found}>${({ tokens }) => html`<${Tokens} rows=${tokens} revoke=${ask} />`}<//>
    </section>
    ${asked === "new" && html`<${New} close=${close} done=${(token) => (close(), show(token), found.again())} />`}
    ${asked?.id && html`<${Revoke} token=${asked} again=${found.again} close=${close} />`}
    ${made && html`<${Made} token=${made} close=${() => show(null)} />`}
  `;
}

function Tokens({ rows, revoke }) {
  if (rows.length === 0) return html`<p>${say("tokensNone")}</p>`;
  return html`
    <${Wide} name=${say("tokens")}>
      <table>
        <thead>
          <tr>
            <th scope="col">${say("name")}</th>
            <th scope="col">${say("tokenOwner")}</th>
            <th scope="col">${say("tokenMay")}</th>
            <th scope="col">${say("appState")}</th>
            <th scope="col">${say("tokenUsed")}</th>
            <th scope="col">${say("accessUntil")}</th>
            <th scope="col"><span class="hidden">${say("historyActions")}</span></th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (one) => html`
              <tr key=${one.id}>
                <th scope="row">${one.name} <code class="dim">${one.id}</code></th>
                <td>${one.owner}</td>
                <td><${Grants} of=${one.grants} /></td>
                <td><${State} of=${one.state} /></td>
                <td><${Time} at=${one.usedTime} /></td>
                <td><${Time} at=${one.expires} /></td>
                <td>
                  ${one.state === "valid" &&
                  html`<button type="button" class="danger" aria-label=${say("tokenRevokeOf", one.name)} onClick=${() => revoke(one)}>
                    ${say("tokenRevoke")}
                  </button>`}
                </td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    <//>
  `;
}

function Revoke({ token, again, close }) {
  const act = async () => {
    await remove(`tokens/${token.id}`);
    close();
    again();
  };
  return html`
    <${Ask} title=${say("tokenRevokeAsk", token.name)} action=${say("tokenRevoke")} act=${act} close=${close} danger>
      <p>${say("tokenRevokeMeans")}</p>
    <//>
  `;
}

// Names, as they are written: with commas between; nothing is any.
const names = (text) => text.split(",").map((one) => one.trim()).filter(Boolean);

function New({ close, done }) {
  const [values, set] = useState({ name: "", owner: "", namespaces: "", projects: "", applications: "", clusters: "" });
  const [role, choose] = useState("viewer");
  const field = (name, word) =>
    html`<${Field} word=${word} value=${values[name]} write=${(value) => set({ ...values, [name]: value })} />`;
  const act = async () => {
    const grant = { role };
    for (const [part] of PARTS) {
      if (names(values[part]).length > 0) grant[part] = names(values[part]);
    }
    const owner = values.owner.trim();
    done(await post("tokens", { name: values.name.trim(), grants: [grant], expiresInDays: DAYS, ...(owner && { owner }) }));
  };
  return html`
    <${Ask} title=${say("tokenNewTitle", DAYS)} action=${say("tokenMake")} act=${act} close=${close} ready=${values.name.trim() !== ""}>
      ${field("name", "tokenFor")} ${field("owner", "tokenOwnerField")}
      <label>
        ${say("accessRole")}${" "}
        <select value=${role} onChange=${(event) => choose(event.target.value)}>
          ${ROLES.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
        </select>
      </label>
      ${field("namespaces", "tokenNamespaces")} ${field("projects", "tokenProjects")}
      ${field("applications", "tokenApplications")} ${field("clusters", "tokenClusters")}
    <//>
  `;
}

const Made = ({ token, close }) => html`
  <${Dialog} title=${say("tokenMade", token.name)} close=${close}>
    <p>${say("tokenOnce")}</p>
    <p><code class="secret">${token.token}</code></p>
    <form method="dialog"><p class="buttons"><button type="submit" class="main">${say("close")}</button></p></form>
  <//>
`;
