import type { DependencyGraph } from "./dependency-graph.js";

/**
 * The number of each node's strong component, by Tarjan's algorithm, over the edges of these relations: two
 * nodes are in one component if each can be reached from the other. -1 for those that are in one alone.
 */
export function strongComponents(graph: DependencyGraph, mask: number): Int32Array {
  const { nodes, first, to, relation } = graph;
  const component = new Int32Array(nodes).fill(-1);
  // In the order of first visits, from 1; 0 as long as it was not visited.
  const visit = new Int32Array(nodes);
  const low = new Int32Array(nodes);
  const next = first.slice(0, nodes);
  const path = new Int32Array(nodes);
  const open = new Int32Array(nodes);
  const isOpen = new Uint8Array(nodes);
  let visits = 0;
  let opened = 0;
  let components = 0;
  for (let root = 0; root < nodes; root++) {
    if (visit[root] !== 0) continue;
    let depth = 0;
    path[0] = root;
    visit[root] = low[root] = ++visits;
    open[opened++] = root;
    isOpen[root] = 1;
    while (depth >= 0) {
      const node = path[depth]!;
      const edge = next[node]!;
      if (edge < first[node + 1]!) {
        next[node] = edge + 1;
        if ((relation[edge]! & mask) === 0) continue;
        const target = to[edge]!;
        if (visit[target] === 0) {
          visit[target] = low[target] = ++visits;
          open[opened++] = target;
          isOpen[target] = 1;
          path[++depth] = target;
        } else if (isOpen[target] === 1 && visit[target]! < low[node]!) {
          low[node] = visit[target]!;
        }
        continue;
      }
      depth--;
      if (depth >= 0 && low[node]! < low[path[depth]!]!) low[path[depth]!] = low[node]!;
      if (low[node] !== visit[node]) continue;
      // All that were opened since form a component.
      const isAlone = open[opened - 1] === node;
      let member: number;
      do {
        member = open[--opened]!;
        isOpen[member] = 0;
        if (!isAlone) component[member] = components;
      } while (member !== node);
      if (!isAlone) components++;
    }
  }
  return component;
}
