import { clientText, describe, describeBy } from "../history.js";
import type { Edge } from "../verdict.js";
import type { AccessLog } from "./access-log.js";
import { SessionOrder } from "./session-order.js";
import { topologicalOrder, type Predecessors, type TopologicalOrder } from "./topological-order.js";

/** Further reasons why one comes before another. */
interface ReasonedOrder {
  visitBefore(later: number, visit: (earlier: number, edge: () => Edge) => void): void;
}

/**
 * What came before what: what a client did before, and what it read the writes of. With `leads`, only after
 * some accesses a client's later ones count.
 */
export class KnownOrder {
  readonly log: AccessLog;
  readonly sources: Int32Array;
  readonly sessions: SessionOrder;
  /** By access: the one it read, if any. */
  readonly read: Predecessors;
  readonly #leads: ((row: number) => boolean) | undefined;
  #ledByReturn: number[][] | undefined;

  constructor(log: AccessLog, sources: Int32Array, leads?: (row: number) => boolean) {
    this.log = log;
    this.sources = sources;
    this.sessions = new SessionOrder(log, leads);
    this.#leads = leads;
    const starts = new Int32Array(log.size + 1);
    const rows = new Int32Array(log.size);
    for (let row = 0; row < log.size; row++) {
      starts[row + 1] = starts[row]!;
      if (sources[row]! >= 0) rows[starts[row + 1]!++] = sources[row]!;
    }
    this.read = { starts, rows };
  }

  inOrder(conflicts?: Predecessors): TopologicalOrder {
    const relations = [this.sessions.before, this.read, ...(conflicts ? [conflicts] : [])];
    return topologicalOrder(this.log.size, relations);
  }

  /** The shortest way through those in a circle, back to where it began. */
  shortestCycle(circle: readonly number[], conflicts?: ReasonedOrder): Edge[] {
    let shortest: Edge[] | undefined;
    // A long one has a short one in it, more often than not, and it is as good to begin with as any.
    for (const row of circle.slice(0, 50)) {
      const cycle = this.shortestPath(row, row, conflicts);
      if (!shortest || cycle.length < shortest.length) shortest = cycle;
    }
    return shortest!;
  }

  /** The shortest way from one to another that comes after it. A client's order counts as one step. */
  shortestPath(from: number, to: number, conflicts?: ReasonedOrder): Edge[] {
    const { log, sources } = this;
    const ledByReturn = (this.#ledByReturn ??= this.#sortByReturn());
    // By client: how many of those that lead, in the order of their answers, are reached.
    const reached = new Int32Array(log.clientCount);
    const edgeAfter = new Map<number, { next: number; edge: Edge }>();
    const queue = [to];
    const reach = (row: number, next: number, edge: () => Edge) => {
      if (edgeAfter.has(row)) return;
      edgeAfter.set(row, { next, edge: edge() });
      queue.push(row);
    };
    for (let head = 0; head < queue.length && !edgeAfter.has(from); head++) {
      const row = queue[head]!;
      const source = sources[row]!;
      if (source >= 0) reach(source, row, () => this.readEdge(row));
      conflicts?.visitBefore(row, (before, edge) => reach(before, row, edge));
      const client = log.client[row]!;
      const led = ledByReturn[client]!;
      for (; reached[client]! < led.length; reached[client]!++) {
        const before = led[reached[client]!]!;
        if (log.returned[before]! >= log.invoked[row]!) break;
        reach(before, row, () => this.sessionEdge(before, row));
      }
    }
    const path: Edge[] = [];
    let row = from;
    do {
      const { next, edge } = edgeAfter.get(row)!;
      path.push(edge);
      row = next;
    } while (row !== to);
    return path;
  }

  sessionEdge(from: number, to: number): Edge {
    return sessionEdge(this.log, from, to);
  }

  readEdge(read: number): Edge {
    return readEdge(this.log, this.sources[read]!, read);
  }

  #sortByReturn(): number[][] {
    const sorted: number[][] = Array.from({ length: this.log.clientCount }, () => []);
    for (const row of this.log.byReturn) {
      if (this.#leads?.(row) ?? true) sorted[this.log.client[row]!]!.push(row);
    }
    return sorted;
  }
}

export function sessionEdge(log: AccessLog, from: number, to: number): Edge {
  const [first, then] = [log.operation(from), log.operation(to)];
  const because = `${clientText(first.client)} did ${describe(first)} before ${describe(then)}`;
  return { from: first, to: then, relation: "session", because };
}

export function readEdge(log: AccessLog, from: number, to: number): Edge {
  const [writer, reader] = [log.operation(from), log.operation(to)];
  const because = `${describeBy(reader)} saw what ${describeBy(writer)} wrote`;
  return { from: writer, to: reader, relation: "wr", because };
}
