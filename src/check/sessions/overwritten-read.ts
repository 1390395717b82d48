import type { Budget } from "../budget.js";
import { reasonsOf, type Anomaly } from "../verdict.js";
import { fromStart, none } from "./access-log.js";
import { anomalyOf, missedEdge, missedText, type MissedWrite } from "./anomaly-of.js";
import { outOfTime, type Finding } from "./finding.js";
import type { KnownOrder } from "./known-order.js";
import { whyItIsNewer, whyItMustBeSeen, type OrderPromise } from "./missed-write-proof.js";

/**
 * Looks, without clocks, for a read that saw something although a later write came before it. For each write
 * that was read it goes from there to the last of its readers, and marks what comes after it, and what comes
 * after another write of the key that does. So it costs about a walk through all for each key, and more only
 * where reads are late.
 *
 * That writes follow reads says only of what others have read what must be seen: there such a mark counts
 * once it has come from a write to a read, and, for what was there at the start, to another write before.
 */
export function findOverwritten(
  known: KnownOrder,
  order: Int32Array,
  promise: "causal" | "writes follow reads",
  budget: Budget,
): Finding {
  const { log, sources } = known;
  const { starts, rows } = known.sessions.before;
  const countsAtOnce = promise === "causal";
  const { rank, lastReader, scopeOf } = scopesOf(known, order);
  // By access: the scope of which it is marked, by which write of the key, if any, that came between, and
  // whether that counts.
  const markedFor = new Int32Array(log.size).fill(-1);
  const between = new Int32Array(log.size);
  const counts = new Uint8Array(log.size);
  let steps = 0;
  for (let scope = 0; scope < lastReader.length; scope++) {
    const end = lastReader[scope]!;
    if (end < 0) continue;
    const isStart = scope >= log.size;
    const key = isStart ? scope - log.size : log.key[scope]!;
    if (!isStart) [markedFor[scope], between[scope], counts[scope]] = [scope, -1, 0];
    for (let index = isStart ? 0 : rank[scope]! + 1; index <= end; index++) {
      if ((++steps & 0xffff) === 0 && budget.isSpent) return outOfTime;
      const row = order[index]!;
      const source = sources[row]!;
      let isAfter = isStart;
      let write = -1;
      let isSure = 0;
      if (source >= 0 && markedFor[source] === scope) {
        isAfter = true;
        write = between[source]!;
        isSure = Number(write >= 0);
        if (write < 0 && source !== scope && log.key[source] === key) {
          write = source;
          isSure = Number(!isStart);
        }
      }
      for (let at = starts[row]!; at < starts[row + 1]!; at++) {
        const before = rows[at]!;
        // In its own session, a write shows only what was read before it, or with it.
        if (markedFor[before] !== scope || (before === scope && !countsAtOnce)) continue;
        isAfter = true;
        if (between[before]! < 0 || counts[before]! < isSure) continue;
        write = between[before]!;
        isSure = counts[before]!;
      }
      if (isSure === 1 && source !== none && scopeOf(row) === scope) {
        return overwrittenRead(known, promise, { read: row, source, write });
      }
      if (!isAfter) continue;
      markedFor[row] = scope;
      if (countsAtOnce && log.key[row] === key && log.written[row] !== none) [write, isSure] = [row, 1];
      between[row] = write;
      counts[row] = isSure;
    }
  }
  return "valid";
}

/** A scope is a write, or what a key held at the start: what reads can have seen. */
function scopesOf({ log, sources }: KnownOrder, order: Int32Array) {
  const rank = new Int32Array(log.size);
  // By scope: where its last reader stands.
  const lastReader = new Int32Array(log.size + log.keys.length).fill(-1);
  const scopeOf = (read: number) =>
    sources[read] === fromStart ? log.size + log.key[read]! : sources[read]!;
  order.forEach((row, index) => {
    rank[row] = index;
    if (sources[row] !== none) lastReader[scopeOf(row)] = index;
  });
  return { rank, lastReader, scopeOf };
}

export function overwrittenRead(known: KnownOrder, promise: OrderPromise, missed: MissedWrite): Anomaly {
  const { log } = known;
  const isStart = missed.source === fromStart;
  const name = promise !== "causal" ? promise : isStart ? "WriteCOInitRead" : "WriteCORead";
  const way = whyItMustBeSeen(known, promise, missed);
  const cycle = [...way, missedEdge(log, missed)];
  const before = isStart ? [] : whyItIsNewer(known, promise, missed);
  const later = isStart ? "" : ` That came after what it saw: ${reasonsOf(before)}.`;
  const explanation = `${missedText(log, missed)}. It had to see that: ${reasonsOf(way)}.${later}`;
  return anomalyOf(name, explanation, log.keyOf(missed.read), cycle, before);
}

/** That something came before itself. */
export function cyclic(
  known: KnownOrder,
  promise: OrderPromise,
  circle: readonly number[],
  budget: Budget,
): Anomaly {
  const name = promise === "causal" ? "CyclicCO" : promise;
  const cycle = known.shortestCycle(circle, budget);
  const explanation = `Something came before itself: ${reasonsOf(cycle)}.`;
  return anomalyOf(name, explanation, undefined, cycle);
}
