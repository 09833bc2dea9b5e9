// The API of the server that this page comes from, also where that is below a base path.

const BASE = new URL("..", import.meta.url);

export class ServerError extends Error {
  constructor(status, message, code = 0, errors = []) {
    super(message);
    this.status = status; // 0: there was no answer
    this.code = code;
    this.errors = errors; // [{field, code, message}]
  }

  // Whether it may be there again in a moment.
  get isLost() {
    return this.status === 0 || this.status >= 500;
  }
}

export function address(path) {
  return new URL(`api/v1/${path}`, BASE);
}

// Whom the server does not know logs in. `login()`, which the shell sets, ends once somebody has.
export const door = { login: async () => {} };

async function ask(method, path, given = {}) {
  try {
    return await askOnce(method, path, given);
  } catch (error) {
    if (error.status !== 401) throw error;
    const loggedIn = door.login();
    if (method !== "GET") throw error; // nothing was done: whoever has logged in decides whether it is to be
    await loggedIn;
    given.signal?.throwIfAborted();
    return askOnce(method, path, given);
  }
}

async function askOnce(method, path, { query = {}, body, signal, key }) {
  const url = address(path);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") url.searchParams.append(name, one);
    }
  }
  // Another site's page cannot send this header: without it the server does nothing for a session (docs/how-to/identity.md).
  const headers = method === "GET" ? {} : { "X-Kubemin-Page": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  let reply;
  try {
    reply = await fetch(url, { method, signal, headers, ...sent });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, error.message);
  }
  const envelope = await reply.json().catch((error) => {
    if (error.name === "AbortError") throw error; // the view that asked is left, while the reply was still coming
    return { message: `HTTP ${reply.status}` };
  });
  if (!reply.ok || envelope.code !== 0) {
    throw new ServerError(reply.status, envelope.message, envelope.code, envelope.errors ?? []);
  }
  return envelope.data;
}

// What the server says of its API and of what it takes, for programs.
export async function document() {
  const reply = await fetch(new URL("openapi.json", BASE));
  if (!reply.ok) throw new ServerError(reply.status, `HTTP ${reply.status}`);
  return reply.json();
}

export const get = (path, query, signal) => ask("GET", path, { query, signal });
export const post = (path, body = {}, query = {}) => ask("POST", path, { query, body });
export const remove = (path, query) => ask("DELETE", path, { query });

// What begins a task; with the same key it is the same task, however often it is asked for.
export const begin = (method, path, key, given) => ask(method, path, { ...given, key });
