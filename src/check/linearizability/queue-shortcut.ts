import { describeBy, type Operation } from "../history.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { judgeStays } from "./judge-stays.js";
import { missedValue } from "./missed-value.js";
import { orderBy } from "./order-by.js";
import type { Stays } from "./stays.js";

/**
 * Judges a queue into which no value is put twice, in the time that it takes to sort; other histories it
 * leaves to the search.
 */
export function queueShortcut(part: readonly Operation[]): PartVerdict | undefined {
  return judgeStays(part, {
    put: "enqueue",
    take: "dequeue",
    anomalyOf: (stays) => outOfOrder(stays) ?? missedValue(stays),
  });
}

/**
 * Two values of which the first was put in before the second, and taken out after it, or never.
 *
 * If there are no such two, there is an order of all puts and takes. Say that a must be ahead of b if the
 * put of a was over before that of b began, or if the take of a was over before that of b began; as for a
 * value that was never taken, its take comes after all. This runs in no circle. On a circle each kind of
 * "before" is transitive, so let it go on by puts and takes in turn: a before b by puts, b before c by
 * takes, c before d by puts. Two puts were over before two others began, so the one that was over first was
 * over before both began: a was put in before d, which makes the circle shorter; or c was put in before b,
 * although taken after it, which are such two. In the end two are left on the circle, and they are such two
 * again.
 *
 * So the values can be put in and taken out in one order. It remains that takes and puts agree in real time.
 * A put is over when its take is, and a take begins when its put does, for the one has to follow the other.
 * Then if the take of a was over before the put of b began, so was the put of a, and a is ahead of b. Hence
 * on a circle of what must come before what, where it goes from the take of a to the put of b, on to that of
 * c, not ahead of b, and to the take of d, the put of c was not over before that of b began; so the take of
 * a was over before that of d began, and a is ahead of d. One never gets back to a.
 *
 * The two are found without minding that: if the put of a was over only because its take was, that take was
 * over before the put of b began, and that of b before it, which was found to be wrong already.
 */
function outOfOrder(stays: Stays): Anomaly | undefined {
  const { putFrom, putBy, takenFrom, takenBy } = stays;
  const order = orderBy(putBy, Uint32Array.from(stays.puts.keys()));
  let next = 0;
  /** Of the values whose puts were over already, the one whose take began last. */
  let last: number | undefined;
  for (let value = 0; value < putFrom.length; value++) {
    for (; next < order.length && putBy[order[next]!]! < putFrom[value]!; next++) {
      if (last === undefined || takenFrom[order[next]!]! > takenFrom[last]!) last = order[next]!;
    }
    if (last !== undefined && takenBy[value]! < takenFrom[last]!) return passed(stays, last, value);
  }
  return undefined;
}

function passed(stays: Stays, first: number, second: number): Anomaly {
  const [put, secondPut] = [stays.puts[first]!, stays.puts[second]!];
  const [take, secondTake] = [stays.takes[first], stays.takes[second]!];
  const operations = stays.operations([first, second]);
  const ahead = `${describeBy(put)} was over before ${describeBy(secondPut)} began`;
  return take === undefined
    ? {
        name: "lost value",
        explanation: `${ahead}, but ${describeBy(secondTake)}, and nobody ever took out the one ahead of it.`,
        operations,
      }
    : {
        name: "out of order",
        explanation: `${ahead}, but ${describeBy(secondTake)} was over before ${describeBy(take)} began.`,
        operations,
      };
}
