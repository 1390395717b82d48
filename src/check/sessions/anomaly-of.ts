import { describeBy, type Operation } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import type { Anomaly, Edge } from "../verdict.js";
import { fromStart, type AccessLog } from "./access-log.js";

/** The anomaly that this cycle is, or these edges and a cycle of which some of them are a part. */
export function anomalyOf(
  name: string,
  explanation: string,
  key: unknown,
  cycle: readonly Edge[],
  others: readonly Edge[] = [],
): Anomaly {
  const operations = [...cycle, ...others].flatMap(({ from, to }): Operation[] => [from, to]);
  return { name, explanation, key, operations: inCallOrder(operations), cycle };
}

/** A read that saw something older than a write that it must have seen. */
export interface MissedWrite {
  readonly read: number;
  readonly source: number;
  readonly write: number;
}

export function missedEdge(log: AccessLog, { read, source, write }: MissedWrite): Edge {
  const because = missedText(log, { read, source, write });
  return { from: log.operation(read), to: log.operation(write), relation: "rw", because };
}

/** `b's read("x") → null saw what was there at the start, and not a's write("x", 1)`. */
export function missedText(log: AccessLog, { read, source, write }: MissedWrite): string {
  const [seen, missed] = [describeBy(log.operation(read)), describeBy(log.operation(write))];
  if (source === fromStart) return `${seen} saw what was there at the start, and not ${missed}`;
  const former = describeBy(log.operation(source));
  return `${seen} saw what ${former} wrote, and not ${missed}, which came after that`;
}
