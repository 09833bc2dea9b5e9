// Hooks that the views share.

import { useEffect, useState } from "./vendor/htm-preact.js";

const AGAIN = 5000; // milliseconds between two looks, while a view is shown and its tab is seen

// What `load(signal)` gives: {value, error, stale, again}. It is asked again every few seconds; while the server does
// not answer, the last value stays, and is said to be stale.
export function useLive(load, keys, pause = AGAIN) {
  const [state, set] = useState({ value: undefined, error: undefined, stale: false });
  const [turn, next] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer;
    const look = async () => {
      try {
        const value = await load(stop.signal);
        set({ value, error: undefined, stale: false });
      } catch (error) {
        if (stop.signal.aborted) return;
        set((last) =>
          error.isLost
            ? { ...last, error, stale: true }
            : { value: undefined, error, stale: false },
        );
      }
      if (!stop.signal.aborted) timer = setTimeout(seen, pause);
    };
    const seen = () => (document.hidden ? document.addEventListener("visibilitychange", look, { once: true }) : look());
    look();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [...keys, turn]);
  return { ...state, again: () => next((one) => one + 1) };
}

// The address after "#/", as its parts. One that a person has mistyped stays as it is, and is found nowhere.
export function useAddress() {
  const read = () => location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decoded);
  const [parts, set] = useState(read);
  useEffect(() => {
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
