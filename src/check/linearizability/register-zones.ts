import { describeBy, isBefore, valueText, type Operation } from "../history.js";
import { identity, isSame, type Identity } from "../identity.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { inCallOrder } from "../in-call-order.js";

/**
 * Judges a register of which no value is written twice, nor the first one again, in one pass: the zones of
 * Gibbons and Korach ("Testing shared memories", 1997). Other histories it leaves to the search.
 *
 * A value's cluster is its write and all reads of it. In the order looked for a cluster stands together, the
 * write first, for with the next write the value is gone for good. The write of the value that a register
 * has at the beginning was over before all time. So there is such an order only if
 *
 * 1. what was read was written, and no read was over before its write began; and
 * 2. the clusters can be put in an order: A comes before B if any operation of A was over before any of B
 *    began, which is to say if `over(A) < begun(B)`, the earliest return of A and the latest call of B.
 *
 * And these two are enough: clusters in such an order, each with its write first and then its reads as they
 * were called, agree with real time.
 *
 * If the clusters cannot be ordered, two of them must each come before the other: of those on a circle let A
 * be the one that was over first. As `over(A) <= over(X) < begun(Y)` for each X and the Y after it on the
 * circle, A must come before all of them, also before the one that must come before A.
 *
 * To find such two in one pass, take the clusters by `begun`, the latest first. Those with `over < begun`
 * are busy from the one to the other without doubt. Let A be any cluster, and N the busy one that was taken
 * last. If A and N do not contradict each other, A contradicts no busy B taken before N, either: neither
 * did N, so `over(B) >= begun(N) >= begun(A)`. And two that are not busy never do, for that would be
 * `over(A) < begun(B) <= over(B) < begun(A) <= over(A)`.
 *
 * A write with an unknown outcome has no return. If somebody read its value it took place, before that read
 * was over; if nobody did, its cluster contradicts none, as if it came last.
 */
export function registerZones(
  init: unknown,
  words: Words = { read: "read", write: "write" },
): (part: readonly Operation[]) => PartVerdict | undefined {
  return (part) => {
    const clusters = clustersOf(part, init, words);
    return clusters && (misread(part, clusters, words) ?? contradiction(part, clusters) ?? "valid");
  };
}

/** What reading and writing are called. */
interface Words {
  readonly read: string;
  readonly write: string;
}

/** A value is known by a small number, the first one by 0; operations by their places in the part. */
interface Clusters {
  readonly numbers: ReadonlyMap<Identity, number>;
  /** By operation: the value it wrote or read; `none` if it did not happen or saw nothing. */
  readonly values: Int32Array;
  /** By value: its write; `none` for the first value, which was there before all. */
  readonly writes: Int32Array;
}

const none = -1;

/** The clusters; undefined if some value was written twice, or the register is more than a register. */
function clustersOf(part: readonly Operation[], init: unknown, words: Words): Clusters | undefined {
  const numbers = new Map<Identity, number>([[identity(init), 0]]);
  const values = new Int32Array(part.length).fill(none);
  const writes: number[] = [none];
  for (let place = 0; place < part.length; place++) {
    const { name, args, outcome } = part[place]!;
    if (outcome === "fail" || name === words.read) continue;
    if (name !== words.write) return undefined;
    const value = identity(args.at(-1));
    if (numbers.has(value)) return undefined;
    numbers.set(value, writes.length);
    values[place] = writes.length;
    writes.push(place);
  }
  return { numbers, values, writes: Int32Array.from(writes) };
}

/** Finds out what each read saw, and returns the first one that saw what was not there yet. */
function misread(
  part: readonly Operation[],
  { numbers, values, writes }: Clusters,
  words: Words,
): Anomaly | undefined {
  for (let place = 0; place < part.length; place++) {
    const read = part[place]!;
    if (read.name !== words.read || read.outcome !== "ok") continue;
    const value = numbers.get(identity(read.result));
    if (value === undefined) return readOfNothing(part, read, words);
    const write = value === 0 ? undefined : part[writes[value]!]!;
    if (write !== undefined && read.returned < write.invoked) return readTooEarly(read, write);
    values[place] = value;
  }
  return undefined;
}

function contradiction(part: readonly Operation[], { values, writes }: Clusters): Anomaly | undefined {
  const over = new Float64Array(writes.length).fill(Infinity);
  over[0] = -Infinity;
  for (let place = 0; place < part.length; place++) {
    const value = values[place]!;
    const { returned } = part[place]!;
    if (value !== none && returned < over[value]!) over[value] = returned;
  }
  const isTaken = new Uint8Array(writes.length);
  let busy: number = none;
  let busyBegun = Infinity;
  // The first operation of a cluster that is met from the end is the one that was called last.
  for (let place = part.length - 1; place >= 0; place--) {
    const value = values[place]!;
    if (value === none || isTaken[value] === 1) continue;
    isTaken[value] = 1;
    const begun = part[place]!.invoked;
    if (busy !== none && over[value]! < busyBegun && over[busy]! < begun) {
      return staleRead(part, values, value, busy);
    }
    if (over[value]! >= begun) continue;
    busy = value;
    busyBegun = begun;
  }
  return undefined;
}

function readOfNothing(part: readonly Operation[], read: Operation, words: Words): Anomaly {
  const failed = part.find(
    ({ name, args, outcome }) =>
      outcome === "fail" && name === words.write && isSame(args.at(-1), read.result),
  );
  if (failed === undefined) {
    const explanation = `${describeBy(read)}, but nobody ever wrote that.`;
    return { name: "read of nothing", explanation, operations: [read] };
  }
  const explanation = `${describeBy(read)}, but ${describeBy(failed)}, and nobody else wrote that.`;
  return { name: "read of a failed write", explanation, operations: inCallOrder([read, failed]) };
}

function readTooEarly(read: Operation, write: Operation): Anomaly {
  const explanation =
    `${describeBy(read)} was over before ${describeBy(write)} began, ` + `and nobody else wrote that.`;
  return { name: "read from the future", explanation, operations: [read, write] };
}

/** Tells of two values of which each would have to be gone before the other was there. */
function staleRead(part: readonly Operation[], values: Int32Array, one: number, other: number): Anomaly {
  const clusterOf = (value: number) => part.filter((_, place) => values[place] === value);
  const [ones, others] = [clusterOf(one), clusterOf(other)];
  // The first value was there before any other; of two others, one is read after all that is of the other
  // was called. It is read, not written: who reads a value is not over before its write began.
  const isOneOld = one === 0 || (other !== 0 && ones.at(-1)!.invoked > others.at(-1)!.invoked);
  const [old, next] = isOneOld ? [ones, others] : [others, ones];
  const stale = old.at(-1)!;
  const notAgain = `nothing put ${valueText(stale.result ?? null)} back`;
  const seen = firstOver(next);
  if (one === 0 || other === 0) return staleReadAfter(seen, stale, notAgain, [seen, stale]);
  const before = firstOver(old);
  const between = next.find((each) => isBefore(before, each) && isBefore(each, stale));
  const [begun, over] = between ? [between, between] : [next.at(-1)!, seen];
  const newer = `${describeBy(begun)} began after ${describeBy(before)} was over`;
  return staleReadAfter(over, stale, `${notAgain}, for ${newer}`, [before, begun, over, stale]);
}

function staleReadAfter(
  over: Operation,
  stale: Operation,
  because: string,
  operations: readonly Operation[],
): Anomaly {
  const explanation = `${describeBy(stale)} began after ${describeBy(over)} was over, and ${because}.`;
  return { name: "stale read", explanation, operations: inCallOrder(operations) };
}

function firstOver(cluster: readonly Operation[]): Operation {
  return cluster.reduce((first, each) => (each.returned < first.returned ? each : first));
}
