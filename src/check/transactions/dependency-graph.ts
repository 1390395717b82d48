import type { Observations } from "./observations.js";
import type { Timing } from "./phenomena.js";

/**
 * Why one transaction must come before another; bits, so that a search can name those it follows. "own" is
 * for the parts of one transaction, "order" for what follows from a level.
 */
export const relations = { ww: 1, wr: 2, rw: 4, session: 8, realtime: 16, own: 32, order: 64 } as const;
export const dataRelations = relations.ww | relations.wr | relations.rw;

export const timeRelations: Record<Timing, number> = {
  none: 0,
  session: relations.session,
  realtime: relations.session | relations.realtime,
};

/** An edge between two transactions, way stations left out. */
export interface Step {
  readonly from: number;
  readonly to: number;
  readonly relation: number;
  /** See `DependencyGraph`. */
  readonly version: number;
}

/**
 * Who must come before whom. The first nodes are the transactions. Those after them are way stations: where
 * each of many comes before each of many others, all the edges would be too many; instead, some lead to a
 * chain of stations and others from it, and a way over stations is one edge of its relation.
 */
export class DependencyGraph {
  readonly transactions: number;
  nodes: number;
  /** The edges of a node are those from `first[node]` up to `first[node + 1]`. */
  first = new Int32Array(0);
  to = new Int32Array(0);
  relation = new Uint8Array(0);
  /** What the edge rests on: the version that was read (wr), not seen (rw) or written over the last (ww). */
  version = new Int32Array(0);
  #size = 0;
  #from = new Int32Array(1024);
  #to = new Int32Array(1024);
  #relation = new Uint8Array(1024);
  #version = new Int32Array(1024);

  constructor(transactions: number) {
    this.transactions = transactions;
    this.nodes = transactions;
  }

  addStation(): number {
    return this.nodes++;
  }

  add(from: number, to: number, relation: number, version: number): void {
    if (from === to) return;
    if (this.#size === this.#from.length) this.#grow();
    this.#from[this.#size] = from;
    this.#to[this.#size] = to;
    this.#relation[this.#size] = relation;
    this.#version[this.#size++] = version;
  }

  /** Sorts the edges by where they start; none is added after that. */
  seal(): this {
    this.first = new Int32Array(this.nodes + 1);
    for (let edge = 0; edge < this.#size; edge++) this.first[this.#from[edge]! + 1]!++;
    for (let node = 0; node < this.nodes; node++) this.first[node + 1]! += this.first[node]!;
    const next = this.first.slice();
    this.to = new Int32Array(this.#size);
    this.relation = new Uint8Array(this.#size);
    this.version = new Int32Array(this.#size);
    for (let edge = 0; edge < this.#size; edge++) {
      const place = next[this.#from[edge]!]!++;
      this.to[place] = this.#to[edge]!;
      this.relation[place] = this.#relation[edge]!;
      this.version[place] = this.#version[edge]!;
    }
    this.#from = this.#to = this.#version = new Int32Array(0);
    this.#relation = new Uint8Array(0);
    return this;
  }

  #grow(): void {
    const grown = <T extends Int32Array | Uint8Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    const size = this.#size * 2;
    this.#from = grown(new Int32Array(size), this.#from);
    this.#to = grown(new Int32Array(size), this.#to);
    this.#version = grown(new Int32Array(size), this.#version);
    this.#relation = grown(new Uint8Array(size), this.#relation);
  }
}

/** What the data says, and the order of time that counts. */
export function dependencyGraph(observations: Observations, timing: Timing): DependencyGraph {
  const graph = new DependencyGraph(observations.operations.length);
  addDataEdges(graph, observations);
  if (timing !== "none") addSessionEdges(graph, observations);
  if (timing === "realtime") {
    addTimeEdges(graph, observations, [...observations.operations.keys()], relations.realtime);
  }
  return graph.seal();
}

/** Each client's own order: it did one before the other if the one was over when the other began. */
export function addSessionEdges(graph: DependencyGraph, observations: Observations): void {
  for (const session of sessionsOf(observations)) {
    addTimeEdges(graph, observations, session, relations.session);
  }
}

/** The transactions of each client, in the order of their calls. */
export function sessionsOf({ operations }: Observations): Iterable<readonly number[]> {
  const sessions = new Map<unknown, number[]>();
  for (let transaction = 0; transaction < operations.length; transaction++) {
    const session = sessions.get(operations[transaction]!.client);
    if (session === undefined) sessions.set(operations[transaction]!.client, [transaction]);
    else session.push(transaction);
  }
  return sessions.values();
}

/** What was read, not seen and written over; or only some of it. */
export function addDataEdges(
  graph: DependencyGraph,
  observations: Observations,
  mask: number = dataRelations,
): void {
  const { workload, firstRead, readVersion, older, newer, operations } = observations;
  const versions = observations.writeCount + observations.keys.length;
  const readers = groups(versions, readVersion, byTransaction(firstRead, operations.length));
  const successors = groups(versions, older, newer);
  // Of registers it is known only from reads which version is older, and then wr says the same.
  const knowsOrder = workload === "list-append";
  for (let version = 0; version < versions; version++) {
    const writer = observations.writerOf(version);
    const readersEnd = readers.first[version + 1]!;
    const successorsEnd = successors.first[version + 1]!;
    for (let at = readers.first[version]!; writer >= 0 && at < readersEnd; at++) {
      graph.add(writer, readers.members[at]!, relations.wr, version);
    }
    if (mask === relations.wr) continue;
    for (let at = successors.first[version]!; knowsOrder && writer >= 0 && at < successorsEnd; at++) {
      const next = successors.members[at]!;
      graph.add(writer, observations.writerOf(next), relations.ww, next);
    }
    const reading = readers.members.subarray(readers.first[version], readersEnd);
    const following = successors.members.subarray(successors.first[version], successorsEnd);
    addAntidependencies(graph, observations, reading, following);
  }
}

/** Each reader of a version comes before each who wrote a later one, save itself. */
function addAntidependencies(
  graph: DependencyGraph,
  observations: Observations,
  readers: Int32Array,
  shown: Int32Array,
): void {
  // Several reads may show the same: a writer with two places in the chain would come before itself.
  const following = shown.length > 1 ? [...new Set(shown)] : shown;
  const few = 4;
  if (readers.length <= few || following.length <= few) {
    for (const reader of readers) {
      for (const version of following) {
        graph.add(reader, observations.writerOf(version), relations.rw, version);
      }
    }
    return;
  }
  // From a station of the one chain one gets to the writers up to its own, of the other to those from it on.
  const count = following.length;
  const upTo = new Int32Array(count);
  const from = new Int32Array(count);
  const placeOf = new Map<number, number>();
  for (let place = 0; place < count; place++) {
    const version = following[place]!;
    placeOf.set(observations.writerOf(version), place);
    upTo[place] = graph.addStation();
    from[place] = graph.addStation();
    for (const station of [upTo[place]!, from[place]!]) {
      graph.add(station, observations.writerOf(version), relations.rw, version);
    }
    if (place === 0) continue;
    graph.add(upTo[place]!, upTo[place - 1]!, relations.rw, version);
    graph.add(from[place - 1]!, from[place]!, relations.rw, version);
  }
  for (const reader of readers) {
    const place = placeOf.get(reader) ?? -1;
    if (place > 0) graph.add(reader, upTo[place - 1]!, relations.rw, -1);
    if (place + 1 < count) graph.add(reader, from[place + 1]!, relations.rw, -1);
  }
}

/**
 * Who was over when another began, comes before it: all who were over by then lead to one station, which
 * leads to the next, so that there are no more edges than four for each transaction.
 */
function addTimeEdges(
  graph: DependencyGraph,
  { operations, tookPlace }: Observations,
  members: readonly number[],
  relation: number,
): void {
  const transactions = members.filter((transaction) => tookPlace[transaction] === 1);
  const byReturn = transactions.filter((transaction) => operations[transaction]!.returned < Infinity);
  byReturn.sort((a, b) => operations[a]!.returned - operations[b]!.returned);
  let station = -1;
  let over = 0;
  for (const transaction of transactions) {
    const { invoked } = operations[transaction]!;
    const overBefore = over;
    while (over < byReturn.length && operations[byReturn[over]!]!.returned < invoked) over++;
    if (over > overBefore) {
      const last = station;
      station = graph.addStation();
      if (last >= 0) graph.add(last, station, relation, -1);
      for (let at = overBefore; at < over; at++) graph.add(byReturn[at]!, station, relation, -1);
    }
    if (station >= 0) graph.add(station, transaction, relation, -1);
  }
}

interface Groups {
  readonly first: Int32Array;
  readonly members: Int32Array;
}

/** The members by their group, in the order in which they are given. */
function groups(count: number, groupOf: readonly number[], members: ArrayLike<number>): Groups {
  const first = new Int32Array(count + 1);
  for (const group of groupOf) first[group + 1]!++;
  for (let group = 0; group < count; group++) first[group + 1]! += first[group]!;
  const next = first.slice();
  const sorted = new Int32Array(groupOf.length);
  for (let at = 0; at < groupOf.length; at++) sorted[next[groupOf[at]!]!++] = members[at]!;
  return { first, members: sorted };
}

/** For each read, who read. */
function byTransaction(firstRead: Int32Array, transactions: number): Int32Array {
  const reader = new Int32Array(firstRead[transactions]!);
  for (let transaction = 0; transaction < transactions; transaction++) {
    reader.fill(transaction, firstRead[transaction], firstRead[transaction + 1]);
  }
  return reader;
}
