import type { Budget } from "../budget.js";
import type { CausalClocks } from "./causal-clocks.js";
import type { KnownOrder } from "./known-order.js";
import { fromStart, none } from "./access-log.js";
import type { WritesByKey } from "./writes-by-key.js";

/**
 * For each read and each lane of the clocks, visits the latest write of the key that came before the read,
 * unless it is what was read, or came before what was read. The earlier ones in the lane came before it, so
 * they show nothing more. Stops when the visitor says so; false if the time was up.
 */
export function visitKnownWrites(
  { log, sources, sessions }: KnownOrder,
  writes: WritesByKey,
  clocks: CausalClocks,
  budget: Budget,
  visit: (read: number, source: number, write: number) => boolean,
): boolean {
  const { groupsOf, starts, rows, maker } = writes;
  const { places, width, firstLane } = clocks;
  const { place } = sessions;
  for (let read = 0; read < log.size; read++) {
    if ((read & 1023) === 0 && budget.isSpent) return false;
    const source = sources[read]!;
    if (source === none) continue;
    const key = log.key[read]!;
    for (let group = groupsOf[key]!; group < groupsOf[key + 1]!; group++) {
      const lane = maker[group]! - firstLane;
      if (lane < 0 || lane >= width) continue;
      const known = places[read * width + lane]!;
      if (source !== fromStart && places[source * width + lane]! >= known) continue;
      let low = starts[group]!;
      let high = starts[group + 1]!;
      const first = low;
      // Those below `low` are known, those from `high` are not.
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (place[rows[middle]!]! <= known) low = middle + 1;
        else high = middle;
      }
      // What it wrote itself was not before it read.
      if (low > first && rows[low - 1] === read) low--;
      if (low === first) continue;
      const write = rows[low - 1]!;
      if (write !== source && visit(read, source, write)) return true;
    }
  }
  return true;
}
