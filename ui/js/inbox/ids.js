// @ts-check
/** A UUIDv7 (RFC 9562): made before the request leaves, so that sending again is safe. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let moment = Date.now();
  for (let i = 5; i >= 0; i--) {
    bytes[i] = moment % 256;
    moment = Math.floor(moment / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
