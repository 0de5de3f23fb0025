// @ts-check
// Live updates: one stream a browser. The tab that holds the lock listens and tells the others.
import { signedOut } from "./api.js";
import { noteHere } from "./presence.js";
import { account } from "./store.js";
import { heard, sync } from "./sync.js";

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(`chatinbox-${account.id}`) : null;
const listeners = new Map();

/** Tells the other tabs of this browser. */
export const tellTabs = (kind, words) => channel?.postMessage({ kind, words });
/** Hears what another tab tells. */
export const hearTabs = (kind, act) => listeners.set(kind, act);

function act(words) {
  if (words.bye) signedOut.value = true;
  else if (words.again) location.reload(); // what one may do or see is another now; unsent words are kept
  else if (words.here) noteHere(words.here);
  else heard(words);
}

function listen() {
  const source = new EventSource("/live");
  let wasLost = false;
  source.onmessage = (event) => {
    const words = JSON.parse(event.data);
    act(words);
    tellTabs("live", words);
    if (words.bye) source.close();
  };
  source.onopen = () => {
    if (wasLost) sync();
    wasLost = false;
  };
  source.onerror = () => {
    wasLost = true;
    if (signedOut.value) return source.close();
    if (source.readyState === EventSource.CLOSED) {
      sync(); // says whether the session ended
      setTimeout(listen, 3000 + Math.random() * 2000);
    }
  };
}

export function startLive() {
  if (channel) channel.onmessage = ({ data }) => (data.kind === "live" ? act(data.words) : listeners.get(data.kind)?.(data.words));
  if (!navigator.locks) return listen();
  // Held until the tab closes; then the next one in line listens.
  navigator.locks.request(`chatinbox-live-${account.id}`, () => {
    listen();
    sync();
    return new Promise(() => {});
  });
}
