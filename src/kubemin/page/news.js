// What happens on the server, told by one stream for the whole tab: who shows something is told to read it again. A
// stream that begins, or is lost, tells everybody: what happened before it nobody has heard of.

import { follow } from "./stream.js";

const AGAIN = 2000; // milliseconds until a lost server is asked again

export class News {
  constructor() {
    this.listeners = new Set(); // {types, appId, told}
    this.isLive = false; // whether everything that happens is told
    this.query = undefined; // of the stream that is open, or is being opened
    this.closing = new AbortController();
    document.addEventListener("visibilitychange", () => this.change());
  }

  // `told()` is called when a task of the application (of any, without one) had an event of these types.
  listen(types, appId, told) {
    const listener = { types, appId, told };
    this.listeners.add(listener);
    this.change();
    return () => {
      this.listeners.delete(listener);
      this.change();
    };
  }

  // One stream has what all of them want: they come and go together, so it is looked for once they all have.
  change() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const query = this.wanted();
      if (query !== this.query) this.open(query);
    });
  }

  wanted() {
    const some = [...this.listeners];
    const asked = some.filter((one) => one.types.length > 0);
    if (asked.length === 0 || document.hidden) return undefined; // a browser has few connections
    const types = [...new Set(asked.flatMap((one) => one.types))].sort();
    const appIds = new Set(asked.map((one) => one.appId));
    const query = new URLSearchParams(types.map((one) => ["type", one]));
    const [appId] = appIds;
    if (appIds.size === 1 && appId) query.set("appId", appId);
    return String(query);
  }

  async open(query) {
    this.closing.abort();
    this.isLive = false;
    this.query = query;
    const { signal } = (this.closing = new AbortController());
    while (query !== undefined && !signal.aborted) {
      const begun = () => this.tell(true);
      await follow(`events?${query}`, undefined, (events) => this.take(events), signal, begun);
      if (signal.aborted) return;
      if (this.isLive) this.tell(false);
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  }

  tell(isLive) {
    this.isLive = isLive;
    for (const { told } of this.listeners) told();
  }

  take(events) {
    for (const { types, appId, told } of this.listeners) {
      if (events.some(({ type, data }) => types.includes(type) && (!appId || appId === data.appId))) told();
    }
  }
}
