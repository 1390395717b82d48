import type { Budget } from "../budget.js";
import type { TransactionLevel } from "../level.js";
import {
  dataRelations,
  relations,
  timeRelations,
  type DependencyGraph,
  type Step,
} from "./dependency-graph.js";
import { withSnapshots } from "./event-graph.js";
import { anomalyOf } from "./explanations.js";
import type { Observations } from "./observations.js";
import { rulesOut, type Phenomenon, type Timing } from "./phenomena.js";
import { CycleSearch, type Cycle, type CycleKind, type SearchEnd } from "./shortest-cycles.js";
import { strongComponents } from "./strong-components.js";

const { ww, wr, rw, session, realtime, own } = relations;

/** Which edges a cycle of this timing goes through; those of antidependencies only come by themselves. */
const passes: Record<Timing, readonly number[]> = {
  none: [ww | wr, rw],
  session: [session],
  realtime: [realtime],
};

/**
 * Adds to the findings the shortest cycles of the graph that need its timing: those that do without are of
 * another. Those that rule out the level are enough, if there is much to search.
 */
export function findCycles(
  observations: Observations,
  graph: DependencyGraph,
  timing: Timing,
  level: TransactionLevel | undefined,
  budget: Budget,
): SearchEnd {
  const all = dataRelations | timeRelations[timing];
  const component = strongComponents(graph, all);
  const kinds = possibleKinds(graph, all);
  if (kinds.size === 0) return "all";
  const search = new CycleSearch(graph, component, budget);
  const { findings } = observations;
  const offer = (cycle: Cycle) => {
    for (const steps of simpleCycles(stepsOf(graph, cycle))) addCycle(observations, steps);
  };
  const isEnough = () =>
    level === undefined || findings.all.some((found) => rulesOut(found.phenomenon, level));
  for (const through of passes[timing]) {
    const end = search.run({ through, all: through === rw ? rw : all }, kinds, offer, isEnough);
    if (end !== "all") return end;
  }
  return "all";
}

/** What there are cycles of at all, so that nobody looks for what there is not. */
function possibleKinds(graph: DependencyGraph, all: number): Set<CycleKind> {
  const isCyclic = (within: DependencyGraph, mask: number) =>
    strongComponents(within, mask).some((component) => component !== -1);
  const kinds = new Set<CycleKind>();
  if (!isCyclic(graph, all)) return kinds;
  kinds.add("G2-item");
  if (isCyclic(graph, all & ~(wr | rw))) kinds.add("G0");
  if (isCyclic(graph, all & ~rw)) kinds.add("G1c");
  // In time with snapshots only those cycles are left in which no two that miss are next to each other.
  if (isCyclic(withSnapshots(graph), all | own)) kinds.add("G-single").add("G-nonadjacent");
  return kinds;
}

/** The way from transaction to transaction; a cycle ends at the transaction where it starts. */
export function stepsOf(graph: DependencyGraph, cycle: Cycle, start = graph.to[cycle.at(-1)!]!): Step[] {
  const { transactions, to, relation, version } = graph;
  const steps: Step[] = [];
  let from = start;
  for (const edge of cycle) {
    if (to[edge]! >= transactions) continue;
    steps.push({ from, to: to[edge]!, relation: relation[edge]!, version: version[edge]! });
    from = to[edge]!;
  }
  return steps;
}

/** The cycles that it falls into, if it goes through a transaction more than once. */
function simpleCycles(steps: readonly Step[]): Step[][] {
  const cycles: Step[][] = [];
  const path: Step[] = [];
  for (const step of steps) {
    path.push(step);
    const begin = path.findIndex(({ from }) => from === step.to);
    if (begin >= 0) cycles.push(path.splice(begin));
  }
  return cycles;
}

function addCycle(observations: Observations, steps: readonly Step[]): void {
  const { findings } = observations;
  const kind = kindOf(steps);
  const has = (relation: number) => steps.some((step) => step.relation === relation);
  const suffix = has(realtime) ? "-realtime" : has(session) ? "-process" : "";
  const names: Phenomenon[] = [`${kind}${suffix}`];
  if (names[0] === "G-nonadjacent" && isLongFork(observations, steps)) names.push("long fork");
  for (const name of names) {
    if (steps.length < findings.sizeOf(name)) findings.add(name, anomalyOf(observations, name, steps));
  }
}

function kindOf(steps: readonly Step[]): CycleKind {
  const misses = steps.filter(({ relation }) => relation === rw).length;
  const isInARow = (step: Step, at: number) =>
    step.relation === rw && steps[(at + 1) % steps.length]!.relation === rw;
  if (misses > 1) return steps.some(isInARow) ? "G2-item" : "G-nonadjacent";
  if (misses === 1) return "G-single";
  return steps.some(({ relation }) => relation === wr) ? "G1c" : "G0";
}

/** Two readers see two writes of different keys in different orders. */
function isLongFork(observations: Observations, steps: readonly Step[]): boolean {
  const missed = steps.filter(({ relation }) => relation === rw);
  const read = steps.filter(({ relation }) => relation === wr);
  if (steps.length !== 4 || missed.length !== 2 || read.length !== 2) return false;
  const [first, second] = missed.map(({ version }) => observations.keyOfVersion(version));
  return first !== second;
}
