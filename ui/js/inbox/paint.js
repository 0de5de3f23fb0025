// @ts-check
/** Runs something once what was asked for is on the screen: the answer to a key comes first. */
export function afterPaint(act) {
  requestAnimationFrame(() => setTimeout(act));
}
