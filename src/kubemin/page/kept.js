// What a person has written and not sent yet: it is there again when they come back, also from a login at another page.

import { useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { useSession } from "./session.js";

const PLACE = "kubemin-written";
const written = new Map(); // by address: {name, value}, whose it is and what

// [before, forget]: what was written here the last time by the same person, and what says that it is sent. `read()` is
// what is kept from now on; undefined: nothing was written.
export function useKept(read) {
  const { who } = useSession();
  const [[place, before]] = useState(() => [location.hash, find(who.name, location.hash)]);
  const sent = useRef(false);
  useEffect(() => {
    const value = sent.current ? undefined : read();
    if (value === undefined) written.delete(place);
    else written.set(place, { name: who.name, value });
  });
  const forget = () => {
    sent.current = true;
    written.delete(place);
  };
  return [before, forget];
}

// The page is left for a login.
export function keep() {
  if (written.size === 0) return;
  try {
    sessionStorage.setItem(PLACE, JSON.stringify([...written]));
  } catch {
    // too large, or not allowed: then it is not kept
  }
}

function find(name, place) {
  try {
    for (const [where, one] of JSON.parse(sessionStorage.getItem(PLACE)) ?? []) written.set(where, one);
    sessionStorage.removeItem(PLACE);
  } catch {
    // nothing was kept
  }
  const found = written.get(place);
  return found?.name === name ? found.value : undefined;
}
