import type { Budget } from "../budget.js";
import { reasonsOf, type Anomaly } from "../verdict.js";
import { fromStart, type AccessLog } from "./access-log.js";
import { anomalyOf } from "./anomaly-of.js";
import { CausalClocks } from "./causal-clocks.js";
import { outOfTime, type Finding } from "./finding.js";
import { Conflicts } from "./conflicts.js";
import { KnownOrder } from "./known-order.js";
import { visitKnownWrites } from "./known-writes.js";
import { cyclic, findOverwritten, overwrittenRead } from "./overwritten-read.js";
import { WritesByKey } from "./writes-by-key.js";

/** As many numbers as the clocks may have at once: 256 MiB of them. */
const clockMax = 1 << 26;

/**
 * Causal consistency (CC in Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency", 2017):
 * whoever sees a write has seen all that came before it, be it that its client did it before or that one read
 * what the other wrote. Two writes of which neither came before the other may be seen in either order.
 *
 * Where each value is written once, a history keeps it unless something came before itself (CyclicCO), or a
 * read saw the start although a write came before it (WriteCOInitRead), or a value although another write
 * came after that and before the read (WriteCORead).
 */
export function causal(log: AccessLog, sources: Int32Array, budget: Budget): Finding {
  return judge(log, sources, budget, () => "valid");
}

/**
 * Causal convergence (CCv, or causal+): beyond that, all who see two writes of a key see them in the same
 * order. Whoever has seen a write and reads another says that the other is the later one. A history keeps it
 * if that (the conflict order) and what came before what make no circle (CyclicCF).
 */
export function causalPlus(log: AccessLog, sources: Int32Array, budget: Budget): Finding {
  return judge(log, sources, budget, (known, order) => {
    const conflicts = conflictsOf(known, order, budget);
    if (!conflicts) return outOfTime;
    const sorted = known.inOrder(conflicts.before);
    if (!("circle" in sorted)) return "valid";
    const cycle = known.shortestCycle(sorted.circle, budget, conflicts);
    const explanation = `No order of writes agrees with all that was seen: ${reasonsOf(cycle)}.`;
    return anomalyOf("CyclicCF", explanation, undefined, cycle, conflicts.proofOf(cycle));
  });
}

function judge(
  log: AccessLog,
  sources: Int32Array,
  budget: Budget,
  more: (known: KnownOrder, order: Int32Array) => Finding,
): Finding {
  const known = new KnownOrder(log, sources);
  const sorted = known.inOrder();
  if ("circle" in sorted) return cyclic(known, "causal", sorted.circle, budget);
  const finding = seenInOrder(known, sorted.order, budget);
  return finding === "valid" ? more(known, sorted.order) : finding;
}

function seenInOrder(known: KnownOrder, order: Int32Array, budget: Budget): Finding {
  const { log, sessions } = known;
  const { laneCount } = sessions;
  if (log.size * laneCount > clockMax) return findOverwritten(known, order, "causal", budget);
  const clocks = new CausalClocks(known, order, 0, laneCount);
  const writes = new WritesByKey(log, sessions.lane, laneCount);
  let anomaly: Anomaly | undefined;
  const isDone = visitKnownWrites(known, writes, clocks, budget, (read, source, write) => {
    if (source !== fromStart && !clocks.isBefore(source, write)) return false;
    anomaly = overwrittenRead(known, "causal", { read, source, write });
    return true;
  });
  return anomaly ?? (isDone ? "valid" : outOfTime);
}

function conflictsOf(known: KnownOrder, order: Int32Array, budget: Budget): Conflicts | undefined {
  const { log, sessions } = known;
  const { laneCount } = sessions;
  const writes = new WritesByKey(log, sessions.lane, laneCount);
  const conflicts = new Conflicts(known);
  const width = Math.max(1, Math.min(laneCount, Math.floor(clockMax / log.size)));
  for (let firstLane = 0; firstLane < laneCount; firstLane += width) {
    const clocks = new CausalClocks(known, order, firstLane, Math.min(width, laneCount - firstLane));
    const isDone = visitKnownWrites(known, writes, clocks, budget, (read, source, write) => {
      conflicts.add(write, source, read);
      return false;
    });
    if (!isDone) return undefined;
  }
  return conflicts;
}
