import type { Budget } from "../budget.js";
import type { Anomaly } from "../verdict.js";
import { fromStart, none } from "./access-log.js";
import { anomalyOf, missedEdge, missedText, type MissedWrite } from "./anomaly-of.js";
import type { ClientGuarantee } from "./client-guarantees.js";
import { outOfTime, type Finding } from "./finding.js";
import type { KnownOrder } from "./known-order.js";

/** What a read that saw something overwritten breaks. */
export type OrderPromise = "causal" | "writes follow reads" | ClientGuarantee;

/**
 * Looks, without clocks, for a read that saw something although a later write came before it. For each write
 * that was read it goes from there to the last of its readers, and marks what comes after it, and what comes
 * after another write of the key that does. So it costs about a walk through all for each key, and more only
 * where reads are late.
 */
export function findOverwritten(
  known: KnownOrder,
  order: Int32Array,
  promise: OrderPromise,
  budget: Budget,
): Finding {
  const { log, sources } = known;
  const { starts, rows } = known.sessions.before;
  const rank = new Int32Array(log.size);
  order.forEach((row, index) => (rank[row] = index));
  // By write, and then by key for what was there at the start: where its last reader stands.
  const lastReader = new Int32Array(log.size + log.keys.length);
  const scopeOf = (read: number) =>
    sources[read] === fromStart ? log.size + log.key[read]! : sources[read]!;
  for (const row of order) if (sources[row] !== none) lastReader[scopeOf(row)] = rank[row]!;
  // By access: the scope of which it is marked, and by which write of the key, if any, that came between.
  const markedFor = new Int32Array(log.size).fill(-1);
  const between = new Int32Array(log.size);
  let steps = 0;
  for (let scope = 0; scope < lastReader.length; scope++) {
    const end = lastReader[scope]!;
    if (end === 0) continue;
    const isStart = scope >= log.size;
    const key = isStart ? scope - log.size : log.key[scope]!;
    if (!isStart) [markedFor[scope], between[scope]] = [scope, -1];
    for (let index = isStart ? 0 : rank[scope]! + 1; index <= end; index++) {
      if ((++steps & 0xffff) === 0 && budget.isSpent) return outOfTime;
      const row = order[index]!;
      let isAfter = isStart;
      let write = -1;
      const source = sources[row]!;
      if (source >= 0 && markedFor[source] === scope) {
        isAfter = true;
        write = between[source]!;
      }
      for (let at = starts[row]!; at < starts[row + 1]!; at++) {
        const before = rows[at]!;
        if (markedFor[before] !== scope) continue;
        isAfter = true;
        if (between[before]! >= 0) write = between[before]!;
      }
      if (write >= 0 && source !== none && scopeOf(row) === scope) {
        return overwrittenRead(known, promise, { read: row, source, write });
      }
      if (!isAfter) continue;
      markedFor[row] = scope;
      between[row] = log.key[row] === key && log.written[row] !== none ? row : write;
    }
  }
  return "valid";
}

export function overwrittenRead(known: KnownOrder, promise: OrderPromise, missed: MissedWrite): Anomaly {
  const { log } = known;
  const { read, source, write } = missed;
  const isStart = source === fromStart;
  const name = promise !== "causal" ? promise : isStart ? "WriteCOInitRead" : "WriteCORead";
  const cycle = [...known.shortestPath(write, read), missedEdge(log, missed)];
  const before = isStart ? [] : known.shortestPath(source, write);
  const explanation = `${missedText(log, missed)}, although it had to see it: see the cycle.`;
  return anomalyOf(name, explanation, log.keyOf(read), cycle, before);
}

/** That something came before itself. */
export function cyclic(known: KnownOrder, promise: OrderPromise, circle: readonly number[]): Anomaly {
  const name = promise === "causal" ? "CyclicCO" : promise;
  const explanation = "Each of these came before the next, and the last before the first.";
  return anomalyOf(name, explanation, undefined, known.shortestCycle(circle));
}
