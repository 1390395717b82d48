import type { Contender } from "./contender.js";

/** The contenders of a circle of waits through this one, if there is one. */
export function circleThrough(start: Contender): Contender[] | undefined {
  // Nobody waits for one who holds nothing, save in line, and there nobody waits for who comes later.
  if (start.held.length === 0 && start.waiting.size < 2) return undefined;
  const seen = new Set<Contender>();
  const path: Contender[] = [start];
  const ways = [blockersOf(start)];
  while (ways.length > 0) {
    const next = ways.at(-1)!.next();
    if (next.done === true) {
      ways.pop();
      path.pop();
    } else if (next.value === start) return path;
    else if (!seen.has(next.value)) {
      seen.add(next.value);
      path.push(next.value);
      ways.push(blockersOf(next.value));
    }
  }
  return undefined;
}

/** Those for whom it waits. */
function* blockersOf(contender: Contender): Generator<Contender> {
  for (const claim of contender.waiting) yield* claim.on.locks!.blockersOf(claim);
}
