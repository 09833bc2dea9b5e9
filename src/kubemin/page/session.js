// Who asks, and what they may. The server decides: here it is only known what to offer.

import { createContext, useContext, useEffect, useState } from "./vendor/htm-preact.js";
import { get, post } from "./server.js";

const RANK = ["viewer", "deployer", "admin"]; // each may what the ones before it may
const ANY = "*";
// What a grant names, and what an application has there.
const NAMES = [["namespaces", "namespace"], ["projects", "project"], ["applications", "name"], ["clusters", "cluster"]];

export const SessionContext = createContext();

export class Session {
  constructor() {
    this.who = undefined; // as `GET /whoami` has it
    this.asks = false; // whether somebody has to log in
    this.told = () => {};
    this.applications = new Map(); // by id: a promise of one, for its names
  }

  // Ends once somebody has logged in.
  login() {
    this.waiting ??= new Promise((done) => {
      this.enter = (who) => {
        this.waiting = undefined;
        this.applications.clear();
        this.set(who, false);
        done();
      };
    });
    if (!this.asks) this.set(this.who, true);
    return this.waiting;
  }

  set(who, asks) {
    Object.assign(this, { who, asks });
    this.told();
  }

  async byToken(token) {
    this.enter(await post("../../auth/session", { token }));
  }

  async logout() {
    const { issuer } = await post("../../auth/logout");
    if (issuer) location.assign(issuer); // it sends the browser back here
    else location.reload(); // nothing of what was seen stays
  }

  // Whether they have the role for everything.
  mayAll(role) {
    return this.grants(role).some((one) => NAMES.every(([names]) => fits(one[names], undefined)));
  }

  // Whether they have it for something.
  maySome(role) {
    return this.grants(role).length > 0;
  }

  // Whether they have it for this application: {namespace, project, name, cluster}.
  may(role, application) {
    return this.grants(role).some((one) => NAMES.every(([names, name]) => fits(one[names], application[name])));
  }

  grants(role) {
    return (this.who?.grants ?? []).filter((one) => RANK.indexOf(one.role) >= RANK.indexOf(role));
  }

  named(appId) {
    if (!this.applications.has(appId)) this.applications.set(appId, get(`applications/${encodeURIComponent(appId)}`));
    return this.applications.get(appId);
  }
}

const fits = (names, name) => names === undefined || names.includes(ANY) || names.includes(name);

// Whoever asks; the view is shown again once that is somebody else.
export const useSession = () => useContext(SessionContext);

// Whether they have the role for the application of this id. While its names are not known: no.
export function useMay(role, appId) {
  const session = useSession();
  const [application, set] = useState();
  const asks = !session.mayAll(role) && session.maySome(role);
  useEffect(() => {
    if (asks) session.named(appId).then(set, () => set(undefined));
  }, [session, appId, asks]);
  return session.mayAll(role) || (application?.id === appId && session.may(role, application));
}
