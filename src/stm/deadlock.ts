import type { Contender } from "./contender.js";

/** The contenders of a circle of waits through this one, if there is one. */
export function circleThrough(start: Contender): Contender[] | undefined {
  // Nobody waits for one who holds nothing, save in line, and there nobody waits for who comes later.
  if (start.held.length === 0) return undefined;
  const seen = new Set<Contender>();
  const path: Contender[] = [];
  const leadsBack = (from: Contender): boolean => {
    path.push(from);
    for (const blocker of blockersOf(from)) {
      if (blocker === start) return true;
      if (seen.has(blocker)) continue;
      seen.add(blocker);
      if (leadsBack(blocker)) return true;
    }
    path.pop();
    return false;
  };
  return leadsBack(start) ? path : undefined;
}

/** Those for whom it waits. */
function blockersOf({ waiting }: Contender): readonly Contender[] {
  return waiting === undefined ? [] : waiting.on.locks!.blockersOf(waiting);
}
