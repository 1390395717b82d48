import type { Edge } from "../verdict.js";
import { fromStart } from "./access-log.js";
import type { MissedWrite } from "./anomaly-of.js";
import type { KnownOrder } from "./known-order.js";

/** What a read that saw something overwritten breaks. */
export type OrderPromise =
  "causal" | "writes follow reads" | "read your writes" | "monotonic reads" | "monotonic writes";

/** From the write to the read: no way but one that the promise itself goes by. */
export function whyItMustBeSeen(known: KnownOrder, promise: OrderPromise, missed: MissedWrite): Edge[] {
  const { read, write } = missed;
  if (promise === "causal") return known.shortestPath(write, read);
  if (promise === "read your writes") return [known.sessionEdge(write, read)];
  if (promise === "writes follow reads") return wayOverReads(known, missed);
  const isOwn = promise === "monotonic reads";
  const seen = (source: number) => (isOwn ? source === write : known.log.isBeforeInSession(write, source));
  const earlier = earlierReads(known, read).find((each) => seen(known.sources[each]!))!;
  const made = isOwn ? [] : [known.sessionEdge(write, known.sources[earlier]!)];
  return [...made, known.readEdge(earlier), known.sessionEdge(earlier, read)];
}

/** From what the read saw to what it missed. */
export function whyItIsNewer(known: KnownOrder, promise: OrderPromise, missed: MissedWrite): Edge[] {
  const { source, write } = missed;
  if (promise === "writes follow reads") return known.shortestPathOfReaders(source, [write]);
  return known.shortestPath(source, write);
}

/** Its client had read the write, or, if it saw what was there at the start, at least one that follows it. */
function wayOverReads(known: KnownOrder, { read, source, write }: MissedWrite): Edge[] {
  const earlier = earlierReads(known, read);
  const seen = earlier.map((each) => known.sources[each]!);
  const isSeen = source !== fromStart && seen.includes(write);
  const way = isSeen ? [] : known.shortestPathOfReaders(write, seen);
  const last = isSeen ? write : known.log.operations.indexOf(way.at(-1)!.to);
  const reader = earlier[seen.indexOf(last)]!;
  return [...way, known.readEdge(reader), known.sessionEdge(reader, read)];
}

/** What the client of the read had read of others' writes, or its own, before that. */
function earlierReads({ log, sources }: KnownOrder, read: number): number[] {
  const earlier: number[] = [];
  sources.forEach((source, row) => {
    if (source >= 0 && log.isBeforeInSession(row, read)) earlier.push(row);
  });
  return earlier;
}
