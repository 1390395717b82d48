import { DependencyGraph, relations } from "./dependency-graph.js";
import type { Observations } from "./observations.js";

/**
 * The moments of transactions, and which must come before which. In a serial order each transaction is one
 * moment. With snapshots it is two, it reads all at its start and writes all at its commit: whoever depends
 * on it starts after its commit, and whoever wrote what it did not see commits after its start.
 */
export class EventGraph {
  readonly graph: DependencyGraph;
  /** How many moments there are; the nodes of the graph after them are way stations. */
  readonly events: number;
  readonly #dependencies: DependencyGraph;
  readonly #hasSnapshots: boolean;

  constructor(dependencies: DependencyGraph, hasSnapshots: boolean, graph?: DependencyGraph) {
    this.#dependencies = dependencies;
    this.#hasSnapshots = hasSnapshots;
    this.events = hasSnapshots ? dependencies.transactions * 2 : dependencies.transactions;
    this.graph = graph ?? (hasSnapshots ? withSnapshots(dependencies) : dependencies);
  }

  /** The same moments in a graph with more edges. */
  with(graph: DependencyGraph): EventGraph {
    return new EventGraph(this.#dependencies, this.#hasSnapshots, graph);
  }

  startOf(transaction: number): number {
    return this.#hasSnapshots ? 2 * transaction : transaction;
  }

  commitOf(transaction: number): number {
    return this.#hasSnapshots ? 2 * transaction + 1 : transaction;
  }

  transactionOf(event: number): number {
    return this.#hasSnapshots ? event >> 1 : event;
  }

  isStart(event: number): boolean {
    return !this.#hasSnapshots || (event & 1) === 0;
  }

  isCommit(event: number): boolean {
    return !this.#hasSnapshots || (event & 1) === 1;
  }

  /**
   * The moments of all that took place, in an order that goes against nothing known, and otherwise as they
   * returned; undefined if there is a circle, and so no order.
   */
  sorted({ operations, tookPlace }: Observations): Int32Array | undefined {
    const { nodes, first, to } = this.graph;
    const missing = new Int32Array(nodes);
    for (const target of to) missing[target]!++;
    const rank = (node: number) => {
      // Way stations hold nobody up.
      if (node >= this.events) return -1;
      const { returned, invoked } = operations[this.transactionOf(node)]!;
      return returned === Infinity ? invoked : returned;
    };
    const ready = new Heap(Float64Array.from({ length: nodes }, (_, node) => rank(node)));
    for (let node = 0; node < nodes; node++) if (missing[node] === 0) ready.push(node);
    const order = new Int32Array(this.events);
    let size = 0;
    let done = 0;
    for (; ready.size > 0; done++) {
      const node = ready.pop();
      if (node < this.events && tookPlace[this.transactionOf(node)] === 1) order[size++] = node;
      for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
        if (--missing[to[edge]!]! === 0) ready.push(to[edge]!);
      }
    }
    return done === nodes ? order.subarray(0, size) : undefined;
  }
}

/** Each transaction becomes its start and its commit; see `EventGraph`. */
export function withSnapshots(dependencies: DependencyGraph): DependencyGraph {
  const { transactions, nodes, first, to, relation, version } = dependencies;
  const graph = new DependencyGraph(transactions + nodes);
  const isTransaction = (node: number) => node < transactions;
  for (let node = 0; node < nodes; node++) {
    if (isTransaction(node)) graph.add(2 * node, 2 * node + 1, relations.own, -1);
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      const target = to[edge]!;
      const isMissed = relation[edge] === relations.rw;
      const from = isTransaction(node) ? 2 * node + (isMissed ? 0 : 1) : transactions + node;
      const towards = isTransaction(target) ? 2 * target + (isMissed ? 1 : 0) : transactions + target;
      graph.add(from, towards, relation[edge]!, version[edge]!);
    }
  }
  return graph.seal();
}

/** Nodes, of which the one with the least rank leaves first. */
class Heap {
  readonly #rank: Float64Array;
  readonly #nodes: Int32Array;
  size = 0;

  constructor(rank: Float64Array) {
    this.#rank = rank;
    this.#nodes = new Int32Array(rank.length);
  }

  push(node: number): void {
    const nodes = this.#nodes;
    const rank = this.#rank[node]!;
    let place = this.size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#rank[nodes[parent]!]! <= rank) break;
      nodes[place] = nodes[parent]!;
      place = parent;
    }
    nodes[place] = node;
  }

  pop(): number {
    const nodes = this.#nodes;
    const least = nodes[0]!;
    const last = nodes[--this.size]!;
    const rank = this.#rank[last]!;
    let place = 0;
    for (let child = 1; child < this.size; child = 2 * place + 1) {
      if (child + 1 < this.size && this.#rank[nodes[child + 1]!]! < this.#rank[nodes[child]!]!) child++;
      if (this.#rank[nodes[child]!]! >= rank) break;
      nodes[place] = nodes[child]!;
      place = child;
    }
    nodes[place] = last;
    return least;
  }
}
