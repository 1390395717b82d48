import { describeBy } from "../history.js";
import type { Edge } from "../verdict.js";
import type { KnownOrder } from "./known-order.js";
import type { Predecessors } from "./topological-order.js";

interface ShownPredecessors extends Predecessors {
  readonly rows: Int32Array;
  readonly shownBy: Int32Array;
}

/** Which of two writes of a key all must take for the earlier one, and the read that shows it. */
export class Conflicts {
  readonly #known: KnownOrder;
  readonly #earlier: number[] = [];
  readonly #later: number[] = [];
  readonly #reads: number[] = [];
  #before: ShownPredecessors | undefined;

  constructor(known: KnownOrder) {
    this.#known = known;
  }

  /** The read had to see the earlier one, and saw the later one. */
  add(earlier: number, later: number, shownBy: number): void {
    this.#earlier.push(earlier);
    this.#later.push(later);
    this.#reads.push(shownBy);
  }

  /** By the later one: the earlier ones. For when all are added. */
  get before(): ShownPredecessors {
    if (this.#before) return this.#before;
    const starts = new Int32Array(this.#known.log.size + 2);
    for (const later of this.#later) starts[later + 2]!++;
    for (let row = 0; row < starts.length - 1; row++) starts[row + 1]! += starts[row]!;
    const rows = new Int32Array(this.#later.length);
    const shownBy = new Int32Array(this.#later.length);
    this.#later.forEach((later, index) => {
      const at = starts[later + 1]!++;
      rows[at] = this.#earlier[index]!;
      shownBy[at] = this.#reads[index]!;
    });
    return (this.#before = { starts, rows, shownBy });
  }

  visitBefore(later: number, visit: (earlier: number) => void): void {
    const { starts, rows } = this.before;
    for (let at = starts[later]!; at < starts[later + 1]!; at++) visit(rows[at]!);
  }

  /** Why the edges of a cycle that are conflicts are: how the read came to see the earlier one. */
  proofOf(cycle: readonly Edge[]): Edge[] {
    const { log } = this.#known;
    return cycle.flatMap((edge) => {
      if (edge.relation !== "cf") return [];
      const [earlier, later] = [log.operations.indexOf(edge.from), log.operations.indexOf(edge.to)];
      const read = this.#shownBy(earlier, later);
      return [...this.#known.shortestPath(earlier, read), this.#known.readEdge(read)];
    });
  }

  edge(earlier: number, later: number): Edge {
    const { log } = this.#known;
    const [former, latter] = [log.operation(earlier), log.operation(later)];
    const because =
      `${describeBy(log.operation(this.#shownBy(earlier, later)))} saw ${describeBy(latter)}, ` +
      `when it knew of ${describeBy(former)}: so that came first`;
    return { from: former, to: latter, relation: "cf", because };
  }

  #shownBy(earlier: number, later: number): number {
    const { starts, rows, shownBy } = this.before;
    return shownBy[rows.indexOf(earlier, starts[later])]!;
  }
}
