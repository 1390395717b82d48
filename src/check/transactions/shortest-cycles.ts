import type { Budget } from "../budget.js";
import { relations, type DependencyGraph } from "./dependency-graph.js";

/** Edges of a graph, by their numbers, each of which starts where the one before it ends. */
export type Cycle = readonly number[];

/** What a cycle is called, save for the order of time in it. */
export type CycleKind = "G0" | "G1c" | "G-single" | "G-nonadjacent" | "G2-item";

/**
 * How a walk looks so far, in bits: it has read (wr), it has missed (rw) once, more often, with its last
 * edge, or twice in a row.
 */
const hasRead = 1;
const hasMissed = 2;
const missedAgain = 4;
const missedLast = 8;
const missedInARow = 16;
const looks = 32;

const mostSteps = 1 << 21;
const stepsBetweenLooks = 1 << 13;

/** It found the shortest of all, or enough for the question, or the time was up before that. */
export type SearchEnd = "all" | "enough" | "late";

/** Which edges the cycles are made of: one at least of those to go through. */
export interface CycleEdges {
  readonly through: number;
  readonly all: number;
}

/**
 * Looks for the shortest cycles of each of these kinds within components, and offers them.
 *
 * A breadth-first search goes from each transaction, first along an edge to go through, over pairs of a
 * transaction and the look of the walk, until it is back: so it finds the shortest for each look, and goes
 * no further than the longest of those that are known. After many steps it stops as soon as `isEnough`.
 */
export class CycleSearch {
  readonly #graph: DependencyGraph;
  readonly #budget: Budget;
  /** The nodes that are on cycles, and their places among them. */
  readonly #members: readonly number[];
  readonly #component: Int32Array;
  readonly #placeOf: Int32Array;
  /** By place and look: the walk that came there last, from which such pair, by which edge. */
  readonly #walk: Int32Array;
  readonly #cameFrom: Int32Array;
  readonly #cameBy: Int32Array;
  #walks = 0;
  #steps = 0;

  constructor(graph: DependencyGraph, component: Int32Array, budget: Budget) {
    this.#graph = graph;
    this.#budget = budget;
    this.#component = component;
    const members: number[] = [];
    this.#placeOf = new Int32Array(graph.nodes);
    for (let node = 0; node < graph.nodes; node++) {
      if (component[node] !== -1) this.#placeOf[node] = members.push(node) - 1;
    }
    this.#members = members;
    const pairs = members.length * looks;
    this.#walk = new Int32Array(pairs);
    this.#cameFrom = new Int32Array(pairs);
    this.#cameBy = new Int32Array(pairs);
  }

  run(
    edges: CycleEdges,
    kinds: ReadonlySet<CycleKind>,
    offer: (cycle: Cycle) => void,
    isEnough: () => boolean,
  ): SearchEnd {
    const lengths = new Map<CycleKind, number>([...kinds].map((kind) => [kind, Infinity]));
    this.#steps = 0;
    let nextLook = stepsBetweenLooks;
    for (const start of this.#members) {
      if (start >= this.#graph.transactions) continue;
      this.#walkFrom(start, edges, lengths, offer);
      if (this.#steps < nextLook) continue;
      nextLook = this.#steps + stepsBetweenLooks;
      if (this.#steps > mostSteps && isEnough()) return "enough";
      if (this.#budget.isSpent) return isEnough() ? "enough" : "late";
    }
    return "all";
  }

  /** In levels: all pairs at one distance, where going to a way station is no distance. */
  #walkFrom(
    start: number,
    edges: CycleEdges,
    lengths: Map<CycleKind, number>,
    offer: (cycle: Cycle) => void,
  ): void {
    this.#walks++;
    const longest = () => Math.max(...lengths.values());
    let level: number[] = [this.#placeOf[start]! * looks];
    let most = longest();
    for (let length = 1; level.length > 0 && length < most; length++) {
      const next: number[] = [];
      // It grows by way stations while it is gone through.
      for (let at = 0; at < level.length; at++) {
        const pair = level[at]!;
        const mask = length === 1 && at === 0 ? edges.through : edges.all;
        this.#follow(start, pair, mask, (edge, look) => {
          const target = this.#graph.to[edge]!;
          if (target === start) {
            const kind = kindOf(look);
            if (length >= (lengths.get(kind) ?? 0)) return;
            lengths.set(kind, length);
            offer(this.#cycle(pair, edge));
            most = longest();
            return;
          }
          const reached = this.#placeOf[target]! * looks + look;
          if (this.#walk[reached] === this.#walks) return;
          this.#walk[reached] = this.#walks;
          this.#cameFrom[reached] = pair;
          this.#cameBy[reached] = edge;
          (target < this.#graph.transactions ? next : level).push(reached);
        });
      }
      level = next;
    }
  }

  #follow(start: number, pair: number, mask: number, reach: (edge: number, look: number) => void): void {
    const { first, to, relation, transactions } = this.#graph;
    const node = this.#members[Math.floor(pair / looks)]!;
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      this.#steps++;
      if ((relation[edge]! & mask) === 0) continue;
      if (this.#component[to[edge]!] !== this.#component[start]) continue;
      const look = pair % looks;
      reach(edge, to[edge]! < transactions ? lookAfter(look, relation[edge]!) : look);
    }
  }

  #cycle(lastPair: number, lastEdge: number): Cycle {
    const cycle = [lastEdge];
    const isBegun = (pair: number) => this.#walk[pair] === this.#walks;
    for (let pair = lastPair; isBegun(pair); pair = this.#cameFrom[pair]!) cycle.push(this.#cameBy[pair]!);
    return cycle.reverse();
  }
}

function lookAfter(look: number, relation: number): number {
  if (relation === relations.wr) return (look & ~missedLast) | hasRead;
  if (relation !== relations.rw) return look & ~missedLast;
  const again = (look & hasMissed) === 0 ? hasMissed : hasMissed | missedAgain;
  return look | again | missedLast | ((look & missedLast) === 0 ? 0 : missedInARow);
}

function kindOf(look: number): CycleKind {
  if ((look & missedInARow) !== 0) return "G2-item";
  if ((look & missedAgain) !== 0) return "G-nonadjacent";
  if ((look & hasMissed) !== 0) return "G-single";
  return (look & hasRead) === 0 ? "G0" : "G1c";
}
