import type { Budget } from "../budget.js";
import { none, type AccessLog } from "./access-log.js";
import { causal } from "./causal.js";
import type { Finding } from "./finding.js";
import { KnownOrder } from "./known-order.js";
import { cyclic, findOverwritten } from "./overwritten-read.js";

/**
 * Writes follow reads: who sees a write has seen what its client had read before it made the write, and sees
 * the two in that order. And so on from there: what the makers of those had read, too. A client has seen what
 * its reads saw so far.
 *
 * So a write follows another if its client had read the other before. None may follow itself. A read must not
 * see what was there at the start if a write that its client has read follows one of the key; nor may it see
 * one that another of the key follows, if the client has read that, or one that follows that.
 */
export function writesFollowReads(log: AccessLog, sources: Int32Array, budget: Budget): Finding {
  // Whoever is causal keeps this, and that is faster to see.
  if (causal(log, sources, budget) === "valid") return "valid";
  const known = new KnownOrder(log, sources, (row) => sources[row] !== none);
  const sorted = known.inOrder();
  if ("circle" in sorted) return cyclic(known, "writes follow reads", sorted.circle, budget);
  return findOverwritten(known, sorted.order, "writes follow reads", budget);
}
