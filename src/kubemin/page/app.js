// The shell: who asks, which view the address means, and what is around it.

import { html, render, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { useAction, Wrong } from "./ask.js";
import { Access } from "./access.js";
import { Applications } from "./applications.js";
import { Audit } from "./audit.js";
import { Login } from "./login.js";
import { Notifications } from "./notifications.js";
import { Tasks } from "./tasks.js";
import { Operations } from "./operations.js";
import { Plan } from "./plan/plan.js";
import { News } from "./news.js";
import { told } from "./codes.js";
import { door, get } from "./server.js";
import { Session, SessionContext, useSession } from "./session.js";
import { NewsContext, link, useAddress } from "./use.js";
import { language, say } from "./words.js";

const everybody = () => true;
// First part of the address → the view, which is given the other parts, and who is offered it.
const VIEWS = {
  applications: [Applications, everybody],
  tasks: [Tasks, everybody],
  plan: [Plan, (session) => session.maySome("deployer")],
  operations: [Operations, everybody],
  notifications: [Notifications, (session) => session.mayAll("viewer")],
  audit: [Audit, (session) => session.mayAll("admin")],
  access: [Access, everybody],
};
const FIRST = "applications";
const ASIDE = "access"; // behind one's own name
const AGAIN = 3000; // milliseconds until a lost server is asked again

function App() {
  const [session] = useState(() => new Session());
  const [, next] = useState(0);
  const [error, fail] = useState();
  useEffect(() => {
    session.told = () => next((turn) => turn + 1);
    door.login = () => session.login();
    begin(session, fail);
  }, [session]);
  const { who, asks } = session;
  return html`
    <${SessionContext.Provider} value=${session}>
      ${who ? html`<${Shell} key=${who.name} session=${session} />` : html`<${Bar} />`}
      ${!who && !asks && html`<main><p role="status">${error ? told(error) : say("loading")}</p></main>`}
      ${asks && html`<${Login} />`}
    <//>
  `;
}

async function begin(session, fail) {
  try {
    session.set(await get("whoami"), false);
  } catch (error) {
    fail(error);
    setTimeout(() => begin(session, fail), AGAIN);
  }
}

function Shell({ session }) {
  const address = useAddress();
  const [name = FIRST, ...parts] = address;
  useFocus(address.join("/"));
  const [View, isFor] = VIEWS[name] ?? [];
  useEffect(() => {
    document.title = `${View ? say(name) : say("notFound")} · KubeMin`;
  }, [name]);
  const offered = Object.keys(VIEWS).filter((one) => one !== ASIDE && VIEWS[one][1](session));
  return html`
    <${Bar} who=${session.who}>
      <nav aria-label="KubeMin">
        ${offered.map((one) => html`<a key=${one} href=${link(one)} aria-current=${one === name ? "page" : undefined}>${say(one)}</a>`)}
      </nav>
    <//>
    <main id="main" tabindex="-1" class=${session.asks ? "away" : ""}>
      ${!View ? html`<p>${say("notFound")}</p>` : isFor(session) ? html`<${View} parts=${parts} />` : html`<p role="status">${say("notAllowed")}</p>`}
    </main>
  `;
}

// Another view takes the focus where the former one had it: the keyboard goes on in what is shown, and it is read out.
function useFocus(address) {
  const shown = useRef(address);
  useEffect(() => {
    if (shown.current === address) return;
    shown.current = address;
    if (document.activeElement === document.body) document.getElementById("main").focus();
  }, [address]);
}

const Bar = ({ who, children }) => html`
  <header class="top">
    <a class="brand" href=${link(FIRST)}>KubeMin</a>
    ${children} ${who && who.how !== "none" && html`<${Who} name=${who.name} />`}
  </header>
`;

function Who({ name }) {
  const session = useSession();
  const leave = useAction(() => session.logout());
  return html`
    <span class="who">
      <a href=${link(ASIDE)}>${name}</a>
      <button type="button" disabled=${leave.busy} onClick=${() => leave.run()}>${say("logout")}</button>
      <${Wrong} error=${leave.error} />
    </span>
  `;
}

document.documentElement.lang = language === "zh" ? "zh-CN" : "en"; // of the question who one is, too
render(html`<${NewsContext.Provider} value=${new News()}><${App} /><//>`, document.getElementById("app"));
