// @ts-check
// Why a letter did not arrive, in plain words (enhanced status codes: RFC 3463).
/** @type {[RegExp, string][]} */
const KNOWN = [
  [/\b[45]\.1\.1\b|user unknown|no such user|mailbox (does not exist|unavailable|not found)/i, "There is no such mailbox. Perhaps two letters of the address are swapped."],
  [/\b[45]\.1\.2\b|domain not found|host (or domain )?name not found|NXDOMAIN|no MX/i, "There is no such domain. Perhaps two letters of the address are swapped."],
  [/\b[45]\.2\.2\b|mailbox (is )?full|over quota|quota exceeded/i, "Their mailbox is full."],
  [/\b[45]\.2\.3\b|\b[45]\.3\.4\b|too (big|large)/i, "The letter is too big for their server."],
  [/\b[45]\.7\.\d+\b|spam|blocked|blacklist|reputation|DMARC|SPF/i, "Their server refuses letters from us; it takes them for unwanted ones or misses a signature."],
  [/\b[45]\.4\.\d+\b|timed? ?out|refused the connection|unreachable/i, "Their server was not reached."],
];

/** A sentence for a person, and whether it says something else than the server did. */
export function plainReason(reason) {
  const found = KNOWN.find(([pattern]) => pattern.test(reason ?? ""));
  return found ? { words: found[1], theirs: reason } : { words: reason || "Their side did not say why.", theirs: null };
}
