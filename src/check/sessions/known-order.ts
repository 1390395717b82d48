import type { Budget } from "../budget.js";
import { clientText, describe, describeBy } from "../history.js";
import type { Edge } from "../verdict.js";
import type { AccessLog } from "./access-log.js";
import { SessionOrder } from "./session-order.js";
import { topologicalOrder, type Predecessors, type TopologicalOrder } from "./topological-order.js";

/** Further reasons why one comes before another. */
interface ReasonedOrder {
  visitBefore(later: number, visit: (earlier: number) => void): void;
  edge(earlier: number, later: number): Edge;
}

/** From how many places of a circle a shorter one is looked for. */
const mostStarts = 50;

/**
 * What came before what: what a client did before, and what it read the writes of. With `leads`, only after
 * some accesses a client's later ones count.
 */
export class KnownOrder {
  readonly log: AccessLog;
  readonly sources: Int32Array;
  /** By access: the one it read, if any. */
  readonly read: Predecessors;
  readonly #leads: (row: number) => boolean;
  #sessions: SessionOrder | undefined;
  #ledByReturn: number[][] | undefined;

  constructor(log: AccessLog, sources: Int32Array, leads: (row: number) => boolean = () => true) {
    this.log = log;
    this.sources = sources;
    this.#leads = leads;
    const starts = new Int32Array(log.size + 1);
    const rows = new Int32Array(log.size);
    for (let row = 0; row < log.size; row++) {
      starts[row + 1] = starts[row]!;
      if (sources[row]! >= 0) rows[starts[row + 1]!++] = sources[row]!;
    }
    this.read = { starts, rows };
  }

  get sessions(): SessionOrder {
    return (this.#sessions ??= new SessionOrder(this.log, this.#leads));
  }

  inOrder(conflicts?: Predecessors): TopologicalOrder {
    const relations = [this.sessions.before, this.read, ...(conflicts ? [conflicts] : [])];
    return topologicalOrder(this.log.size, relations);
  }

  /** The shortest way through those in a circle, back to where it began; or a short one, if time is. */
  shortestCycle(circle: readonly number[], budget: Budget, conflicts?: ReasonedOrder): Edge[] {
    let shortest: readonly number[] | undefined;
    // A long one has a short one in it, more often than not, and it is as good to begin with as any.
    for (const row of circle.slice(0, mostStarts)) {
      if (shortest && budget.isSpent) break;
      const cycle = this.#shortestWay(row, [row], this.#leads, conflicts);
      if (!shortest || cycle.length < shortest.length) shortest = cycle;
    }
    return this.#edges(shortest!, conflicts);
  }

  /** The shortest way from one to another that comes after it. A client's order counts as one step. */
  shortestPath(from: number, to: number): Edge[] {
    return this.#edges(this.#shortestWay(from, [to], this.#leads));
  }

  /** The shortest way from a write to any of some others, of those that begin with a read of the write. */
  shortestPathOfReaders(write: number, to: readonly number[]): Edge[] {
    return this.#edges(this.#shortestWay(write, to, (row) => row !== write && this.#leads(row)));
  }

  sessionEdge(from: number, to: number): Edge {
    const [first, then] = [this.log.operation(from), this.log.operation(to)];
    const because = `${clientText(first.client)} did ${describe(first)} before ${describe(then)}`;
    return { from: first, to: then, relation: "session", because };
  }

  readEdge(read: number): Edge {
    const [writer, reader] = [this.log.operation(this.sources[read]!), this.log.operation(read)];
    const because = `${describeBy(reader)} saw what ${describeBy(writer)} wrote`;
    return { from: writer, to: reader, relation: "wr", because };
  }

  /** Those on the way, both ends as well. */
  #shortestWay(
    from: number,
    ends: readonly number[],
    leads: (row: number) => boolean,
    conflicts?: ReasonedOrder,
  ): number[] {
    const { log, sources } = this;
    const ledByReturn = (this.#ledByReturn ??= this.#sortByReturn());
    // By client: how many of those that lead, in the order of their answers, are reached.
    const reached = new Int32Array(log.clientCount);
    const next = new Int32Array(log.size).fill(-1);
    const queue = [...ends];
    const reach = (row: number, after: number) => {
      if (next[row]! >= 0) return;
      next[row] = after;
      queue.push(row);
    };
    for (let head = 0; head < queue.length && next[from]! < 0; head++) {
      const row = queue[head]!;
      const source = sources[row]!;
      if (source >= 0) reach(source, row);
      conflicts?.visitBefore(row, (before) => reach(before, row));
      const client = log.client[row]!;
      const led = ledByReturn[client]!;
      for (; reached[client]! < led.length; reached[client]!++) {
        const before = led[reached[client]!]!;
        if (log.returned[before]! >= log.invoked[row]!) break;
        if (leads(before)) reach(before, row);
      }
    }
    const isEnd = new Set(ends);
    const way = [from];
    do way.push(next[way.at(-1)!]!);
    while (!isEnd.has(way.at(-1)!));
    return way;
  }

  #edges(way: readonly number[], conflicts?: ReasonedOrder): Edge[] {
    return way.slice(1).map((to, index) => {
      const from = way[index]!;
      if (this.sources[to] === from) return this.readEdge(to);
      const isLed = this.#leads(from) && this.log.isBeforeInSession(from, to);
      return isLed || !conflicts ? this.sessionEdge(from, to) : conflicts.edge(from, to);
    });
  }

  #sortByReturn(): number[][] {
    const sorted: number[][] = Array.from({ length: this.log.clientCount }, () => []);
    for (const row of this.log.byReturn) {
      if (this.#leads(row)) sorted[this.log.client[row]!]!.push(row);
    }
    return sorted;
  }
}
