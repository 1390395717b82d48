import { DependencyGraph, relations } from "./dependency-graph.js";
import type { EventGraph } from "./event-graph.js";
import type { Observations } from "./observations.js";

/** What must be so because this reader saw the version, and another wrote the same key. */
export interface Forced {
  readonly reader: number;
  readonly version: number;
  readonly other: number;
}

export interface ForcedOrder {
  readonly events: EventGraph;
  /** By the versions of the edges of the relation "order". */
  readonly reasons: readonly Forced[];
}

const mostEvents = 5000;

/**
 * Adds to the moments of registers what follows from what is known, again and again, until nothing follows
 * any more: who wrote a key before a reader of it began wrote it before the writer of what was read, and who
 * wrote it after that writer did so after the reader began. With snapshots two that write the same key are
 * not open at once, so of them the one that started before the other's commit is the first.
 *
 * All of that must be so in every order, so a circle in it proves that there is none.
 */
export function forcedOrder(observations: Observations, known: EventGraph): ForcedOrder {
  const reasons: Forced[] = [];
  let events = known;
  if (events.graph.nodes > mostEvents) return { events, reasons };
  const isForced = new Set<number>();
  for (;;) {
    const reached = closure(events.graph);
    if (reached === undefined) return { events, reasons };
    const { nodes } = events.graph;
    const added: [from: number, to: number][] = [];
    const add = (from: number, to: number, reason: Forced) => {
      if (reached.has(from, to) || isForced.has(from * nodes + to)) return;
      isForced.add(from * nodes + to);
      added.push([from, to]);
      reasons.push(reason);
    };
    eachRivalry(observations, (reason) => {
      const writer = observations.writerOf(reason.version);
      const { reader, other } = reason;
      const commit = events.commitOf(other);
      if (writer >= 0 && reached.has(commit, events.startOf(reader))) {
        add(commit, events.startOf(writer), reason);
      }
      if (writer >= 0 && reached.has(events.startOf(writer), commit)) {
        add(events.commitOf(writer), events.startOf(other), reason);
        if (other !== reader) add(events.startOf(reader), commit, reason);
      }
    });
    if (added.length === 0) return { events, reasons };
    events = events.with(withForced(events.graph, added, reasons.length - added.length));
  }
}

/** Every reader of a version, with everyone else who wrote the key. */
function eachRivalry(observations: Observations, visit: (reason: Forced) => void): void {
  const { firstRead, readVersion, operations, tookPlace, versionKey, versionWriter } = observations;
  const writers: number[][] = observations.keys.map(() => []);
  for (let version = 0; version < versionKey.length; version++) {
    const writer = versionWriter[version]!;
    const isThere = tookPlace[writer] === 1 && !observations.isIntermediate(version);
    if (isThere) writers[versionKey[version]!]!.push(writer);
  }
  for (let reader = 0; reader < operations.length; reader++) {
    for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
      const version = readVersion[at]!;
      for (const other of writers[observations.keyOfVersion(version)]!) {
        if (other !== observations.writerOf(version)) visit({ reader, version, other });
      }
    }
  }
}

interface Reached {
  has(from: number, to: number): boolean;
}

/** Which nodes can be reached from which, as a matrix of bits; undefined if there is a circle. */
function closure({ nodes, first, to }: DependencyGraph): Reached | undefined {
  const words = (nodes + 31) >> 5;
  const bits = new Int32Array(nodes * words);
  const missing = new Int32Array(nodes);
  for (const target of to) missing[target]!++;
  const sorted: number[] = [];
  for (let node = 0; node < nodes; node++) if (missing[node] === 0) sorted.push(node);
  // It grows while it is gone through.
  for (const node of sorted) {
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      if (--missing[to[edge]!]! === 0) sorted.push(to[edge]!);
    }
  }
  if (sorted.length < nodes) return undefined;
  for (const node of sorted.reverse()) {
    const own = node * words;
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      const target = to[edge]!;
      for (let word = 0; word < words; word++) bits[own + word]! |= bits[target * words + word]!;
      bits[own + (target >> 5)]! |= 1 << (target & 31);
    }
  }
  return { has: (from, target) => (bits[from * words + (target >> 5)]! & (1 << (target & 31))) !== 0 };
}

/** The graph with more edges of the relation "order", numbered from there on. */
function withForced(
  graph: DependencyGraph,
  added: readonly (readonly [from: number, to: number])[],
  firstReason: number,
): DependencyGraph {
  const copy = new DependencyGraph(graph.nodes);
  for (let node = 0; node < graph.nodes; node++) {
    for (let edge = graph.first[node]!; edge < graph.first[node + 1]!; edge++) {
      copy.add(node, graph.to[edge]!, graph.relation[edge]!, graph.version[edge]!);
    }
  }
  added.forEach(([from, to], at) => copy.add(from, to, relations.order, firstReason + at));
  return copy.seal();
}
