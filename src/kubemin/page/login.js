// Whoever is not known says who they are: at an issuer's page, or by an API token. What was there stays below it.

import { useAction, Wrong } from "./ask.js";
import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { keep } from "./kept.js";
import { Loaded } from "./parts.js";
import { address, get } from "./server.js";
import { useSession } from "./session.js";
import { useOnce } from "./use.js";
import { say } from "./words.js";

export function Login() {
  const place = useRef();
  const show = () => place.current?.isConnected && !place.current.open && place.current.showModal();
  useEffect(show, []);
  const [failed] = useState(wasRefused);
  const ways = useOnce(() => get("../../auth/ways"), []);
  return html`
    <dialog class="login" ref=${place} aria-labelledby="login-title" onCancel=${(event) => event.preventDefault()} onClose=${show}>
      <h2 id="login-title">${say("loginTitle")}</h2>
      ${failed && html`<p class="error" role="alert">${say("loginFailed")}</p>`}
      <${Loaded} from=${ways}>
        ${({ tokens, oidc }) => html`
          <div>
            ${oidc?.login && html`<${AtIssuer} issuer=${oidc.issuer} login=${oidc.login} />`}
            ${tokens && html`<${ByToken} />`}
          </div>
        `}
      <//>
    </dialog>
  `;
}

// Whether the issuer, or the server, has just refused a login that began here: told once.
function wasRefused() {
  const refused = new URLSearchParams(location.search).get("login") === "failed";
  if (refused) history.replaceState(null, "", `${location.pathname}${location.hash}`);
  return refused;
}

function AtIssuer({ issuer, login }) {
  const url = address(`../..${login}`);
  url.searchParams.set("back", `${location.pathname}${location.hash}`);
  return html`
    <p><a class="button main" href=${url.href} onClick=${keep}>${say("loginAt", new URL(issuer).host)}</a></p>
  `;
}

function ByToken() {
  const session = useSession();
  const [token, write] = useState("");
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  const enter = useAction(() => session.byToken(token.trim()));
  const submit = (event) => {
    event.preventDefault();
    enter.run();
  };
  return html`
    <form onSubmit=${submit}>
      <label class="field">
        ${say("loginToken")}
        <input
          ref=${field}
          type="password"
          autocomplete="off"
          spellcheck=${false}
          maxlength="4096"
          value=${token}
          onInput=${(event) => write(event.target.value)}
        />
      </label>
      <${Wrong} error=${enter.error} />
      <p class="buttons">
        <button type="submit" class="main" disabled=${enter.busy || token.trim() === ""}>${say("loginNow")}</button>
      </p>
    </form>
  `;
}
