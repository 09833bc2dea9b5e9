// The shell: which view the address means, and what is around it.

import { html, render, useEffect } from "./vendor/htm-preact.js";
import { Applications } from "./applications.js";
import { Tasks } from "./tasks.js";
import { Operations } from "./operations.js";
import { Plan } from "./plan/plan.js";
import { News } from "./news.js";
import { NewsContext, link, useAddress } from "./use.js";
import { language, say } from "./words.js";

// First part of the address → the view, which is given the other parts.
const VIEWS = {
  applications: Applications,
  tasks: Tasks,
  plan: Plan,
  operations: Operations,
};
const FIRST = "applications";

function App() {
  const [name = FIRST, ...parts] = useAddress();
  const View = VIEWS[name];
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = `${View ? say(name) : say("notFound")} · KubeMin`;
  }, [name]);
  return html`
    <header class="top">
      <a class="brand" href=${link(FIRST)}>KubeMin</a>
      <nav aria-label="KubeMin">
        ${Object.keys(VIEWS).map(
          (one) => html`<a href=${link(one)} aria-current=${one === name ? "page" : undefined}>${say(one)}</a>`,
        )}
      </nav>
    </header>
    <main id="main">${View ? html`<${View} parts=${parts} />` : html`<p>${say("notFound")}</p>`}</main>
  `;
}

render(html`<${NewsContext.Provider} value=${new News()}><${App} /><//>`, document.getElementById("app"));
