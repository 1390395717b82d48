import type { Operation } from "../history.js";

/**
 * "valid" if the calls of a semaphore can stand so: each acquire at the moment of its answer, each release at
 * that of its call. Where all release only what they have no other order leaves more permits free when they
 * are needed, so nothing needs to be searched, however many wait at once. An acquire with an unknown outcome
 * need not have happened; a release with one is taken to have. Undefined where that does not decide.
 */
export function permitOrder(
  part: readonly Operation[],
  permits: number,
  weightOf: (operation: Operation) => number,
): "valid" | undefined {
  const changes: { readonly at: number; readonly permits: number }[] = [];
  for (const operation of part) {
    const { name, outcome, result, invoked, returned } = operation;
    const weight = weightOf(operation);
    if (outcome === "fail") continue;
    if (name === "release") changes.push({ at: invoked, permits: weight });
    else if (outcome === "ok" && result === false) return undefined;
    else if (outcome === "ok") changes.push({ at: returned, permits: -weight });
  }
  // What is called at the moment of an answer may come before it.
  changes.sort((a, b) => a.at - b.at || b.permits - a.permits);
  let free = permits;
  for (const change of changes) {
    free += change.permits;
    if (free < 0 || free > permits) return undefined;
  }
  return "valid";
}
