// Hooks that the views share.

import { createContext, useContext, useEffect, useLayoutEffect, useState } from "./vendor/htm-preact.js";

const AGAIN = 5000; // milliseconds between two looks while nothing tells what happens
const SLOWLY = 15_000; // and while a stream does: for what is in no event, such as a Pod that is not ready any more
const SOONEST = 1000; // and at the least
const SHARE = 20; // and so many times as long as a look takes
const TASKS = ["task", "cleanup"];

// The stream of this tab.
export const NewsContext = createContext();

// What `load(signal)` gives: {value, error, stale, again}. It is asked again when an event of these types came, of the
// application if there is one, and after a while, as long as the tab is seen; while the server does not answer, the
// last value stays, and is said to be stale. `pause` may be a function of the last value.
export function useLive(load, keys, { pause = SLOWLY, types = TASKS, appId } = {}) {
  const news = useContext(NewsContext);
  const [state, set] = useState({ value: undefined, error: undefined, stale: false });
  const [turn, next] = useState(0);
  useEffect(() => {
    const looks = new Looks(load, set, (value) => (!news.isLive ? AGAIN : typeof pause === "function" ? pause(value) : pause));
    const leave = news.listen(types, appId, () => looks.soon());
    looks.look();
    return () => {
      leave();
      looks.stop();
    };
  }, [...keys, turn]);
  return { ...state, again: () => next((one) => one + 1) };
}

class Looks {
  constructor(load, set, pause) {
    Object.assign(this, { load, set, pause });
    this.stopped = new AbortController();
    this.looks = false;
    this.more = false; // whether something came while it looked
    this.last = 0;
    this.look = this.look.bind(this);
  }

  stop() {
    this.stopped.abort();
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.look);
  }

  async look() {
    const { signal } = this.stopped;
    this.looks = true;
    this.more = false;
    this.last = Date.now();
    let lost = false;
    let value;
    try {
      value = await this.load(signal);
      if (!signal.aborted) this.set({ value, error: undefined, stale: false });
    } catch (error) {
      if (signal.aborted) return;
      lost = error.isLost;
      this.set((last) => (lost ? { ...last, error, stale: true } : { value: undefined, error, stale: false }));
    }
    this.looks = false;
    this.soonest = Date.now() + Math.max(SOONEST, SHARE * (Date.now() - this.last));
    if (lost) this.in(AGAIN);
    else if (this.more) this.soon();
    else this.in(this.pause(value));
  }

  // Something happened.
  soon() {
    if (this.looks) this.more = true;
    else this.in(Math.max(0, this.soonest - Date.now()));
  }

  in(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.seen(), milliseconds);
  }

  seen() {
    if (document.hidden) document.addEventListener("visibilitychange", this.look, { once: true });
    else this.look();
  }
}

// The address after "#/", as its parts. One that a person has mistyped stays as it is, and is found nowhere.
export function useAddress() {
  const read = () => location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decoded);
  const [parts, set] = useState(read);
  useLayoutEffect(() => { // before anything else can happen: else a change just then would never be seen
    const changed = () => set(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return parts;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const link = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

// What `load()` gives, asked for once each time a key changes: {value, error, stale}, as `useLive`.
export function useOnce(load, keys) {
  const [state, set] = useState({ value: undefined, error: undefined, stale: false });
  useEffect(() => {
    let over = false;
    set({ value: undefined, error: undefined, stale: false });
    load().then(
      (value) => over || set({ value, error: undefined, stale: false }),
      (error) => over || set({ value: undefined, error, stale: false }),
    );
    return () => {
      over = true;
    };
  }, keys);
  return state;
}

// Go and see the task that was made.
export function follow({ taskId }) {
  location.hash = link("tasks", taskId);
}

// The tab is called after the one thing that a view shows, as long as it does.
export function useTitle(name, view) {
  useEffect(() => {
    document.title = `${name} · ${view} · KubeMin`;
    return () => {
      document.title = `${view} · KubeMin`;
    };
  }, [name, view]);
}
