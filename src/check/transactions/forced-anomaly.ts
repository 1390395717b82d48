import type { Budget } from "../budget.js";
import { clientText, valueText } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import { reasonsOf, type Anomaly, type Edge } from "../verdict.js";
import { relations } from "./dependency-graph.js";
import { edgeOf, readOf } from "./explanations.js";
import type { ForcedOrder } from "./forced-order.js";
import type { Observations } from "./observations.js";
import { CycleSearch, type Cycle } from "./shortest-cycles.js";
import { strongComponents } from "./strong-components.js";

const everything = 127;

/** The shortest circle in what must be so, and why it must. */
export function forcedAnomaly(
  observations: Observations,
  forced: ForcedOrder,
  budget: Budget,
): Omit<Anomaly, "name"> {
  const { graph } = forced.events;
  const search = new CycleSearch(graph, strongComponents(graph, everything), budget);
  let shortest: Cycle | undefined;
  const offer = (cycle: Cycle) => {
    if (shortest === undefined || cycle.length < shortest.length) shortest = cycle;
  };
  const kinds = new Set(["G0", "G1c", "G-single", "G-nonadjacent", "G2-item"] as const);
  search.run({ through: relations.order, all: everything }, kinds, offer, () => shortest !== undefined);
  const cycle = edgesOf(observations, forced, shortest ?? []);
  const involved = [...cycle.map(({ from }) => from), ...readersOf(observations, forced, shortest ?? [])];
  return {
    explanation: `No order is left: ${reasonsOf(cycle)}.`,
    operations: inCallOrder(involved),
    cycle,
  };
}

/** From transaction to transaction; moments of one, and way stations, are passed over. */
function edgesOf(observations: Observations, { events, reasons }: ForcedOrder, cycle: Cycle): Edge[] {
  const { operations } = observations;
  const { graph } = events;
  if (cycle.length === 0) return [];
  const edges: Edge[] = [];
  // It starts with a forced edge, and so at a transaction.
  let from = events.transactionOf(graph.to[cycle.at(-1)!]!);
  for (const edge of cycle) {
    const relation = graph.relation[edge]!;
    const version = graph.version[edge]!;
    if (relation === relations.own || graph.to[edge]! >= events.events) continue;
    const to = events.transactionOf(graph.to[edge]!);
    if (relation === relations.order) {
      const { reader, version: read, other } = reasons[version]!;
      const seen = `${clientText(operations[reader]!.client)} saw ${readOf(observations, reader, read)}`;
      const key = valueText(observations.keys[observations.keyOfVersion(read)]);
      const writer = clientText(operations[other]!.client);
      const because = `${seen}, so ${writer} cannot have written ${key} in between`;
      edges.push({ from: operations[from]!, to: operations[to]!, relation: "order", because });
    } else {
      edges.push(edgeOf(observations, { from, to, relation, version }));
    }
    from = to;
  }
  return edges;
}

function readersOf(observations: Observations, { events, reasons }: ForcedOrder, cycle: Cycle) {
  const forced = cycle.filter((edge) => events.graph.relation[edge] === relations.order);
  return forced.map((edge) => observations.operations[reasons[events.graph.version[edge]!]!.reader]!);
}
