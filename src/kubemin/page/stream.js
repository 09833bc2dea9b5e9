// Events, as they come: Server-Sent Events read with fetch, which can resume after an event of its own choice.

import { address, door } from "./server.js";

const QUIET = 40000; // the server says something every 15 s: after this many milliseconds it is lost
const TOGETHER = 100; // events of so many milliseconds are taken together

// Hands on the events after the id `after`, in order and in groups: `take([{id, type, data}])`. Ends with true after
// the last one, with false where the connection was lost, or is closed by `signal`. Without an `after` it is what
// happens from the call of `begun()` on.
export async function follow(path, after, take, signal, begun = () => {}) {
  const broken = new AbortController();
  const stop = () => broken.abort();
  signal.addEventListener("abort", stop, { once: true });
  const group = new Group(take);
  let timer = setTimeout(stop, QUIET);
  try {
    const headers = { Accept: "text/event-stream" };
    if (after !== undefined) headers["Last-Event-ID"] = String(after);
    const reply = await fetch(address(path), { headers, signal: broken.signal });
    if (reply.status === 401) {
      clearTimeout(timer);
      await door.login();
    }
    if (!reply.ok) return false;
    const parser = new Parser();
    let isBegun = false;
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      clearTimeout(timer);
      timer = setTimeout(stop, QUIET);
      for (const event of parser.read(value)) {
        if (!isBegun) begun();
        isBegun = true;
        if (!event.type) continue; // it only says where the stream is
        group.add(event);
        if (event.type === "end") return true;
      }
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw error; // what came is no JSON
    return false;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    if (!signal.aborted) group.flush();
    group.close();
    stop();
  }
}

class Group {
  constructor(take) {
    this.take = take;
    this.events = [];
    this.timer = undefined;
  }

  add(event) {
    this.events.push(event);
    this.timer ??= setTimeout(() => this.flush(), TOGETHER);
  }

  flush() {
    this.close();
    const events = this.events;
    this.events = [];
    if (events.length) this.take(events);
  }

  close() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

// From pieces of text to events. A piece may end anywhere, also within a line. Of all tasks an id is text, such as "9:7-8".
class Parser {
  constructor() {
    this.rest = "";
  }

  *read(piece) {
    const blocks = (this.rest + piece).split("\n\n");
    this.rest = blocks.pop();
    for (const block of blocks) {
      const event = { id: undefined, type: "", data: null };
      for (const line of block.split("\n")) {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (name === "id") event.id = value;
        if (name === "event") event.type = value;
        if (name === "data") event.data = JSON.parse(value);
      }
      if (event.type || event.id) yield event;
    }
  }
}
