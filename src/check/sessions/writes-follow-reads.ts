import type { Budget } from "../budget.js";
import { none, type AccessLog } from "./access-log.js";
import type { Finding } from "./finding.js";
import { KnownOrder } from "./known-order.js";
import { cyclic, findOverwritten } from "./overwritten-read.js";

/**
 * Writes follow reads: who sees a write has seen what its client had read before it made the write, and sees
 * the two in that order. And so on from there: what the makers of those had read, too. A client has seen what
 * its reads saw so far, and it does not forget.
 *
 * It is causal consistency where, of a client's own order, only what comes after a read counts.
 */
export function writesFollowReads(log: AccessLog, sources: Int32Array, budget: Budget): Finding {
  const known = new KnownOrder(log, sources, (row) => sources[row] !== none);
  const sorted = known.inOrder();
  if ("circle" in sorted) return cyclic(known, "writes follow reads", sorted.circle);
  return findOverwritten(known, sorted.order, "writes follow reads", budget);
}
