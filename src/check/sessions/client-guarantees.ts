import type { Budget } from "../budget.js";
import { clientText } from "../history.js";
import type { Anomaly } from "../verdict.js";
import { fromStart, none, type AccessLog } from "./access-log.js";
import { ClientView } from "./client-view.js";
import { outOfTime, type Finding } from "./finding.js";
import { KnownOrder } from "./known-order.js";
import type { OrderPromise } from "./missed-write-proof.js";
import { overwrittenRead } from "./overwritten-read.js";
import { WritesByKey } from "./writes-by-key.js";

/**
 * What a client may hold on to by itself. Each says which writes a read must have seen; the read must then
 * not see what was there at the start, nor a write that is older than one of those.
 *
 * - Read your writes: what the client itself wrote before.
 * - Monotonic reads: what its earlier reads saw.
 * - Monotonic writes: what the makers of those had written before that. As a read looks at one key only, what
 *   a client has seen is what its reads have seen so far.
 *
 * Of two writes of a key one is older if one client made first the one and then the other. For the first two
 * it is also older if the client that reads had seen it when it made the other itself; and so on from there.
 * So these two look at one key at a time.
 *
 * All three are PRAM (pipelined RAM): each client sees the writes of each other one in the order in which
 * that made them. There the order of one key says something of the others: who has seen a write has seen all
 * that its maker did before.
 */
export type ClientGuarantee = Exclude<OrderPromise, "causal" | "writes follow reads">;

const pram = ["read your writes", "monotonic reads", "monotonic writes"] as const;

/** So often it looks at the clock, though what a client does at once is looked at many times. */
const rowsBetweenLooks = 64;

export function clientGuarantees(
  promise: ClientGuarantee | "pram",
  log: AccessLog,
  sources: Int32Array,
  budget: Budget,
): Finding {
  const { size, byReturn, invoked, returned } = log;
  const guarantees = promise === "pram" ? pram : [promise];
  const view = new ClientView(log, sources, promise === "pram");
  const missedBy = {
    "read your writes": ownWriteMissed,
    "monotonic reads": readMissed,
    "monotonic writes": formerWriteMissed(log),
  };
  let over = 0;
  let tangled: number | undefined;
  for (let row = 0; row < size; row++) {
    if (row % rowsBetweenLooks === 0 && budget.isSpent) return outOfTime;
    for (; over < size && returned[byReturn[over]!]! < invoked[row]!; over++) {
      if (over % rowsBetweenLooks === 0 && budget.isSpent) return outOfTime;
      view.end(byReturn[over]!);
    }
    const source = sources[row]!;
    if (source === none) continue;
    if (isTangled(log, sources, row)) tangled = row;
    for (const guarantee of guarantees) {
      const write = missedBy[guarantee](log, view, row, source);
      if (write === undefined) continue;
      const known = new KnownOrder(log, seenBy(log, sources, row, promise));
      const anomaly = overwrittenRead(known, guarantee, { read: row, source, write });
      return guarantee === "monotonic writes" || isOfOneKey(log, anomaly)
        ? anomaly
        : { ...anomaly, name: "PRAM" };
    }
  }
  return tangled === undefined ? "valid" : { unknown: tangledText(log, tangled) };
}

function isOfOneKey(log: AccessLog, { operations }: Anomaly): boolean {
  const [key, ...others] = operations.map((each) => log.key[log.operations.indexOf(each)]);
  return others.every((other) => other === key);
}

/** What the client of the read saw, of as many keys as the promise looks at. */
function seenBy(
  log: AccessLog,
  sources: Int32Array,
  read: number,
  promise: ClientGuarantee | "pram",
): Int32Array {
  const isOneKey = promise === "read your writes" || promise === "monotonic reads";
  return sources.map((source, row) => {
    const isOther = log.client[row] !== log.client[read] || (isOneKey && log.key[row] !== log.key[read]);
    return isOther ? none : source;
  });
}

/** Whether it read what its client was just writing, where that was to depend on what it read itself. */
function isTangled(log: AccessLog, sources: Int32Array, row: number): boolean {
  const source = sources[row]!;
  if (source < 0 || log.client[source] !== log.client[row] || sources[source] === none) return false;
  return !log.isBeforeInSession(source, row);
}

function tangledText(log: AccessLog, row: number): string {
  return (
    `${clientText(log.operation(row).client)} did several things at once, of which one saw the other: ` +
    "whoever does several things at once is several clients"
  );
}

type Missed = number | undefined;

function ownWriteMissed(log: AccessLog, view: ClientView, row: number, source: number): Missed {
  const writes = view.ownWrites(row);
  return source === fromStart ? writes[0] : view.newerOf(log.client[row]!, source, writes);
}

function readMissed(log: AccessLog, view: ClientView, row: number, source: number): Missed {
  const seen = view.writesReadOfKey(row);
  if (!seen) return undefined;
  if (source === fromStart) return [...seen.values()][0]?.[0];
  // Newer than what was read are only writes of its maker, or the client's own.
  for (const maker of [log.client[source]!, log.client[row]!]) {
    const write = view.newerOf(log.client[row]!, source, seen.get(maker) ?? []);
    if (write !== undefined) return write;
  }
  return undefined;
}

function formerWriteMissed(log: AccessLog) {
  const { client, key, invoked, returned } = log;
  const { groupsOf, starts, rows, maker } = new WritesByKey(log, client, log.clientCount);
  // By index in `rows`: which of the write and its later ones of the group returned first.
  const firstOver = rows.slice();
  for (let group = 0; group < maker.length; group++) {
    for (let index = starts[group + 1]! - 2; index >= starts[group]!; index--) {
      const later = firstOver[index + 1]!;
      if (returned[later]! < returned[rows[index]!]!) firstOver[index] = later;
    }
  }
  /** A write of the group, after this one, that was before what the client has read of the same maker. */
  const between = (group: number, after: number, read: number): Missed => {
    let low = starts[group]!;
    let high = starts[group + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (invoked[rows[middle]!]! > after) high = middle;
      else low = middle + 1;
    }
    const write = firstOver[low];
    return low < starts[group + 1]! && returned[write!]! < invoked[read]! ? write : undefined;
  };
  return (_log: AccessLog, view: ClientView, row: number, source: number): Missed => {
    const seen = view.writesRead(row);
    if (!seen) return undefined;
    for (let group = groupsOf[key[row]!]!; group < groupsOf[key[row]! + 1]!; group++) {
      if (source !== fromStart && maker[group] !== client[source]) continue;
      const read = seen.get(maker[group]!);
      if (read === undefined) continue;
      const write = between(group, source === fromStart ? -1 : returned[source]!, read);
      if (write !== undefined) return write;
    }
    return undefined;
  };
}
