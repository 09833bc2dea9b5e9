// What a person has written and not sent yet, kept for this tab while they log in at another page.

import { useEffect, useState } from "./vendor/htm-preact.js";
import { useSession } from "./session.js";

const PLACE = "kubemin-written";
const written = new Map(); // by address

// What was kept here the last time, for the same person; from now on `value` is what is kept.
export function useKept(read) {
  const { who } = useSession();
  const [[place, before]] = useState(() => [location.hash, take(who.name, location.hash)]);
  useEffect(() => {
    written.set(place, read());
  });
  useEffect(() => () => written.delete(place), []);
  return before;
}

// The page is left for a login.
export function keep(name) {
  if (written.size === 0) return;
  try {
    sessionStorage.setItem(PLACE, JSON.stringify({ name, written: [...written] }));
  } catch {
    // too large, or not allowed: then it is not kept
  }
}

function take(name, place) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PLACE));
    sessionStorage.removeItem(PLACE);
    return kept?.name === name ? new Map(kept.written).get(place) : undefined;
  } catch {
    return undefined;
  }
}
