import type { Contender } from "./contender.js";

/** The contenders of a circle of waits through this one, which begins to wait, if there is one. */
export function circleThrough(start: Contender): Contender[] | undefined {
  if (!isWaitedFor(start)) return undefined;
  const seen = new Set<Contender>();
  /** The way to where we are, and where it has not been followed yet. */
  const way: { readonly at: Contender; readonly next: Contender[] }[] = [
    { at: start, next: blockersOf(start) },
  ];
  for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
    const blocker = last.next.pop();
    if (blocker === start) return way.map(({ at }) => at);
    if (blocker === undefined) way.pop();
    else if (!seen.has(blocker)) {
      seen.add(blocker);
      way.push({ at: blocker, next: blockersOf(blocker) });
    }
  }
  return undefined;
}

/**
 * Only for what it holds: in the line that it has joined nobody stands behind it yet who did not wait for
 * it.
 */
function isWaitedFor(contender: Contender): boolean {
  const held = new Set(contender.held.map(({ on }) => on.locks!));
  for (const locks of held) if (locks.isWantedFrom(contender)) return true;
  return false;
}

/** Those for whom it waits. */
function blockersOf({ waiting }: Contender): Contender[] {
  return waiting === undefined ? [] : waiting.on.locks!.blockersOf(waiting);
}
