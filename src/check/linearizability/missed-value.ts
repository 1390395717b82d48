import { describeBy } from "../history.js";
import type { Anomaly } from "../verdict.js";
import { inCallOrder } from "../in-call-order.js";
import type { Stays } from "./stays.js";

/**
 * A take that found nothing, though at each moment of it some value was certainly inside.
 *
 * Nothing else can be wrong with such takes in a queue or a stack. Let t be a moment at which no value was
 * certainly inside: each had `takenFrom <= t` or else `putBy >= t`. If an order of the others has some
 * values inside at t, let those of the first kind leave just before t instead, and those of the second kind
 * come just after it, as they leave and come in that order. Then nothing is inside at t, and all is as it
 * should be still: stays only became shorter, and none that was moved passed one that was not. So a take
 * that was called before t and returned after it finds nothing there, and the same can be done for all such
 * t.
 */
export function missedValue(stays: Stays): Anomaly | undefined {
  if (stays.empties.length === 0) return undefined;
  const sure = stays.sure();
  const { from, until } = stretches(stays, sure);
  let next = 0;
  for (const empty of stays.empties) {
    while (next < from.length && from[next]! < empty.invoked) next++;
    if (next === 0 || until[next - 1]! <= empty.returned) continue;
    const inside = stays.lengthen([], empty.invoked, empty.returned, sure);
    const names = inside.map((value) => describeBy(stays.puts[value]!));
    const explanation =
      `${describeBy(empty)}, but all the time something was inside: ` +
      `what came with ${names.join(", then with ")} was not taken out yet.`;
    const operations = inCallOrder([...stays.operations(inside), empty]);
    return { name: "missed value", explanation, operations };
  }
  return undefined;
}

/** When something was certainly inside without a gap, the end points not included. */
function stretches({ putBy, takenFrom }: Stays, sure: Uint32Array): { from: number[]; until: number[] } {
  const from: number[] = [];
  const until: number[] = [];
  for (const value of sure) {
    const last = until.length - 1;
    if (last >= 0 && putBy[value]! < until[last]!) {
      until[last] = Math.max(until[last]!, takenFrom[value]!);
    } else {
      from.push(putBy[value]!);
      until.push(takenFrom[value]!);
    }
  }
  return { from, until };
}
