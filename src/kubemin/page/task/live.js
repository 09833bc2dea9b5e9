// A task that is shown, live.

import { useEffect, useLayoutEffect, useMemo, useState } from "../vendor/htm-preact.js";
import { ServerError, get } from "../server.js";
import { follow } from "../stream.js";
import { TaskModel } from "./model.js";
import { isSettled } from "./states.js";

const AGAIN = 2000; // milliseconds until a lost server is asked again
const LATER = 5000; // an incomplete cleanup is tried again in the background: look whether it was

// {model, value, error, stale}: `value` is the model, once it is there. `again()` looks at once.
export function useTask(id) {
  const live = useMemo(() => new Live(id), [id]);
  const [state, set] = useState({ value: undefined, error: undefined, stale: false });
  useEffect(() => {
    live.run(set);
    return () => live.stop();
  }, [live]);
  return { ...state, again: live.again };
}

// Shows again what shows this part of a task whenever that changes, also as soon as it was drawn.
export function usePart(model, part) {
  const [, next] = useState(0);
  useLayoutEffect(() => model.on(part, () => next((turn) => turn + 1)), [model, part]);
}

class Live {
  constructor(id) {
    this.path = `workflow/tasks/${encodeURIComponent(id)}`;
    this.model = new TaskModel();
    this.readers = new Set(); // of each load under way: the events that come meanwhile
    this.stopped = new AbortController();
    this.awake = () => {};
    this.again = () => this.awake();
  }

  stop() {
    this.stopped.abort();
    this.awake();
  }

  async run(set) {
    const tell = (state) => !this.stopped.signal.aborted && set(state);
    while (!this.stopped.signal.aborted) {
      try {
        await this.load();
        tell({ value: this.model, error: undefined, stale: false });
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        const lost = error instanceof ServerError && error.isLost;
        tell({ value: lost && this.model.status ? this.model : undefined, error, stale: lost });
        if (!(error instanceof ServerError)) throw error; // a fault of the page: it is shown, and in the console
        if (!lost) return;
        await this.pause(AGAIN);
        continue;
      }
      const { status, seen } = this.model;
      if (isSettled(status) && seen >= status.lastEventId) {
        if (status.cleanup.state !== "incomplete") return;
        await this.pause(LATER);
      } else if (!(await this.follow()) && !this.stopped.signal.aborted) {
        tell({ value: this.model, error: undefined, stale: !document.hidden });
        await this.seen();
        await this.pause(AGAIN);
      }
    }
  }

  // The status comes first: the others are then at least as new as the event that it names.
  async load() {
    const { signal } = this.stopped;
    const meanwhile = [];
    this.readers.add(meanwhile);
    try {
      const [status, stages, resources] = await this.read(signal);
      this.model.load(status, stages, resources);
      const newer = meanwhile.filter((event) => event.id > status.lastEventId);
      if (newer.length && this.model.take(newer)) this.loadAgain();
    } finally {
      this.readers.delete(meanwhile);
    }
  }

  async read(signal) {
    const status = await get(`${this.path}/status`, {}, signal);
    const [stages, resources] = await Promise.all(
      ["stages", "resources"].map((name) => get(`${this.path}/${name}`, {}, signal)),
    );
    return [status, stages, resources];
  }

  loadAgain() {
    this.load().catch((error) => {
      if (error.name !== "AbortError" && !error.isLost) throw error; // else the stream is lost too: that is seen there
    });
  }

  async follow() {
    const hidden = new AbortController(); // a tab that nobody sees needs no connection: a browser has few of them
    const change = () => document.hidden && hidden.abort();
    const stop = () => hidden.abort();
    document.addEventListener("visibilitychange", change);
    this.stopped.signal.addEventListener("abort", stop);
    try {
      const take = (events) => this.take(events.map((one) => ({ ...one, id: Number(one.id) })));
      return await follow(`${this.path}/events`, this.model.seen, take, hidden.signal);
    } finally {
      document.removeEventListener("visibilitychange", change);
      this.stopped.signal.removeEventListener("abort", stop);
    }
  }

  take(events) {
    for (const meanwhile of this.readers) meanwhile.push(...events);
    if (this.model.take(events) && this.readers.size === 0) this.loadAgain();
  }

  pause(milliseconds) {
    return new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      this.awake = () => {
        clearTimeout(timer);
        done();
      };
      if (this.stopped.signal.aborted) this.awake();
    });
  }

  seen() {
    if (!document.hidden) return Promise.resolve();
    return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}
