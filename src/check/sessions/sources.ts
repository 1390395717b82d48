import { describeBy } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import type { Anomaly } from "../verdict.js";
import { fromStart, none, type AccessLog } from "./access-log.js";

/** A read whose value was written more than once. */
export interface OpenRead {
  readonly row: number;
  /** Who may have written it, the most likely first. */
  readonly writers: readonly number[];
}

/** Who wrote what each read saw. */
export interface Sources {
  /** By access: the one that wrote what it read; `fromStart`; or `none`, if it did not read or is open. */
  readonly known: Int32Array;
  readonly open: readonly OpenRead[];
}

/** The anomaly if something was read that cannot have been there: it breaks every promise. */
export function findSources(log: AccessLog): Sources | Anomaly {
  const { size, read, written } = log;
  const writersOf: number[][] = [];
  for (let row = 0; row < size; row++) {
    if (written[row] !== none) (writersOf[written[row]!] ??= []).push(row);
  }
  const known = new Int32Array(size).fill(none);
  const open: OpenRead[] = [];
  for (let row = 0; row < size; row++) {
    const value = read[row]!;
    if (value === none) continue;
    const all = writersOf[value] ?? [];
    const writers = all.filter((writer) => writer !== row && !log.isBeforeInSession(row, writer));
    const isInitial = log.isInitial[value]!;
    if (writers.length + Number(isInitial) === 0) return fromNowhere(log, row, all);
    if (writers.length === 0) known[row] = fromStart;
    else if (writers.length === 1 && !isInitial) known[row] = writers[0]!;
    else open.push({ row, writers: inLikelyOrder(log, row, writers, isInitial) });
  }
  return { known, open };
}

/** Most likely it read the latest that had begun by the time of its answer. */
function inLikelyOrder(log: AccessLog, row: number, writers: number[], isInitial: boolean): number[] {
  const begun = (writer: number) => log.invoked[writer]! < log.returned[row]!;
  const earlier = writers.filter(begun).reverse();
  const later = writers.filter((writer) => !begun(writer));
  return [...earlier, ...(isInitial ? [fromStart] : []), ...later];
}

function fromNowhere(log: AccessLog, row: number, later: number[]): Anomaly {
  const operation = log.operation(row);
  const failed = log.failedWrite.get(log.read[row]!);
  const seen = describeBy(operation);
  const key = log.keyOf(row);
  if (failed) {
    const explanation = `${seen} saw what ${describeBy(failed).replace(/ failed$/, "")} wrote, which failed.`;
    return { name: "aborted read", explanation, key, operations: inCallOrder([operation, failed]) };
  }
  const writers = later.filter((writer) => writer !== row).map((writer) => log.operation(writer));
  const explanation =
    writers.length === 0
      ? `${seen} saw a value that nobody wrote.`
      : `${seen} saw a value that only its own client wrote, and only later.`;
  return {
    name: "ThinAirRead",
    explanation,
    key,
    operations: inCallOrder([operation, ...writers.slice(0, 1)]),
  };
}
