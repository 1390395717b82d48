import type { Operation } from "./history.js";

/** Each of them once, the one that was called first before the others, as anomalies tell of them. */
export function inCallOrder(operations: Iterable<Operation>): Operation[] {
  return [...new Set(operations)].sort((a, b) => a.invoked - b.invoked);
}
