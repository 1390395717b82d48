import { stepsOf } from "./cycles.js";
import type { DependencyGraph, Step } from "./dependency-graph.js";

/** From one transaction to another that can be reached from it; over way stations is no distance. */
export function shortestWay(graph: DependencyGraph, from: number, to: number): Step[] {
  const { first, nodes, transactions } = graph;
  const cameFrom = new Int32Array(nodes).fill(-1);
  const cameBy = new Int32Array(nodes);
  for (let level = [from]; cameFrom[to] === -1;) {
    const next: number[] = [];
    // It grows by way stations while it is gone through.
    for (const node of level) {
      for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
        const target = graph.to[edge]!;
        if (cameFrom[target] !== -1) continue;
        cameFrom[target] = node;
        cameBy[target] = edge;
        (target < transactions ? next : level).push(target);
      }
    }
    level = next;
  }
  const way: number[] = [];
  for (let node = to; node !== from; node = cameFrom[node]!) way.push(cameBy[node]!);
  return stepsOf(graph, way.reverse(), from);
}
