// @ts-check
// Requests to our own server, and what it means when one does not come back.
import { signal } from "@preact/signals";

/** Since when nothing was reached, or null. */
export const offlineSince = signal(/** @type {number|null} */ (null));
/** True once the session ended: nothing more is asked. */
export const signedOut = signal(false);

/** What the server refused, with its sentence; or `network` when it was not reached. */
export class Refused extends Error {
  constructor(status, code, message, details = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
  get isNetwork() {
    return this.status === 0;
  }
}

const PATIENCE = 20_000;

async function ask(method, path, body, { headers = {}, patience = PATIENCE } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        ...(method === "GET" ? {} : { "X-ChatInbox": "1" }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
      keepalive: method !== "GET" && document.visibilityState === "hidden" && JSON.stringify(body ?? "").length < 50_000,
    });
  } catch (error) {
    const slow = /** @type {Error} */ (error).name === "TimeoutError";
    if (!slow || !navigator.onLine) offlineSince.value ??= Date.now();
    throw new Refused(0, slow ? "slow" : "network", slow ? "The server took too long." : "The server was not reached.");
  }
  offlineSince.value = null;
  if (answer.ok) return answer.status === 204 ? null : await answer.json();
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) signedOut.value = true;
  throw new Refused(answer.status, told.error?.code ?? "failed", told.error?.message ?? "Something went wrong on our side.", told);
}

export const get = (path, options) => ask("GET", path, undefined, options);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const del = (path) => ask("DELETE", path, undefined);

/** Sends one file, telling how much of it has left (0 to 1). Resolves to the stored file. */
export function upload(path, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", path);
    request.setRequestHeader("X-ChatInbox", "1");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name || "file"));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(new Refused(0, "network", "The file did not leave: the server was not reached."));
    request.onabort = () => reject(new Refused(0, "aborted", "Taken back."));
    request.onload = () => {
      let told = {};
      try {
        told = JSON.parse(request.responseText);
      } catch { /* an answer without words is told by its status */ }
      if (request.status < 300) return resolve(told);
      const words = told.error?.message ?? (request.status === 413 ? "This file is too large: at most 25 MB." : "The file was not stored.");
      reject(new Refused(request.status, told.error?.code ?? "failed", words, told));
    };
    request.send(file);
  });
  return { done, stop: () => request.abort() };
}
