import type { Drawing, DrawnAnomaly } from "./drawing.js";

export type Axis = "order" | "time";

/** What it is to the violation: nothing, one of the longest order, one that takes part, or its point. */
export type Role = "plain" | "ordered" | "partaker" | "culprit";

/**
 * Where everything stands: which operations, on which row, from where to where on the axis. Part of the
 * page's script: it may use nothing from outside its own text.
 */
export class Scene {
  readonly drawing: Drawing;
  /** The operations shown, by row, in the order of their calls. */
  rows: number[][] = [];
  /** The client whose row it is, by row. */
  clientOfRow: number[] = [];
  /** By operation; -1 for those that are not shown. */
  rowOf: Int32Array;
  start: Float64Array;
  /** Infinity for those that nobody saw the end of. */
  end: Float64Array;
  /** The whole axis. */
  last = 1;
  anomaly: DrawnAnomaly | undefined;
  /** How each is painted, by operation. */
  roleOf: Role[] = [];
  /** The longest order that could be found. */
  order: number[] = [];
  /** For each operation of it its number there, from 1; else 0. */
  numberOf: Int32Array;
  /** Where on the axis each of it may have taken effect; empty if there is no such choice. */
  points: number[] = [];
  #ranks = new Float64Array(0);
  #momentOfRank = new Float64Array(0);
  #axis: Axis = "order";
  readonly #manyClients = 12;
  /** In steps: of so many one can still read each. */
  readonly #near = 30;

  constructor(drawing: Drawing) {
    const { length } = drawing.client;
    this.drawing = drawing;
    this.rowOf = new Int32Array(length);
    this.start = new Float64Array(length);
    this.end = new Float64Array(length);
    this.numberOf = new Int32Array(length);
  }

  /** Shows what is about the key, or all if it is -1, and marks the anomaly. */
  arrange(key: number, axis: Axis, anomaly: DrawnAnomaly | undefined): void {
    this.#axis = axis;
    this.anomaly = anomaly;
    const shown = this.#shown(key);
    this.#rank(shown);
    this.start.fill(0);
    for (const i of shown) {
      const { invoked, returned } = this.drawing;
      this.start[i] = this.#at(this.#rankOf(invoked[i]!));
      this.end[i] = returned[i] === -1 ? Infinity : this.#at(this.#rankOf(returned[i]!));
    }
    this.last = Math.max(this.#at(this.#ranks.length - 1), axis === "order" ? 1 : 1e-3);
    this.#putInRows(shown);
    this.#number(anomaly?.order ?? []);
    this.#giveRoles();
  }

  /** From one event to the next, on average. */
  get step(): number {
    return this.last / Math.max(this.#ranks.length - 1, 1);
  }

  get axis(): Axis {
    return this.#axis;
  }

  /**
   * What one has to see of the anomaly, from the first call to the last answer: what it is about, and of
   * those that only take part whatever is near.
   */
  get violation(): { from: number; to: number } | undefined {
    const shown = this.partakers.filter((i) => this.rowOf[i] !== -1);
    const isCulprit = (i: number) => this.roleOf[i] === "culprit";
    let [from, to] = [Infinity, -Infinity];
    for (const i of [...shown.filter(isCulprit), ...shown.filter((i) => !isCulprit(i))]) {
      const first = Math.min(from, this.start[i]!);
      const last = Math.max(to, this.end[i] === Infinity ? this.start[i]! : this.end[i]!);
      if (!isCulprit(i) && from < to && last - first > this.step * this.#near) continue;
      [from, to] = [first, last];
    }
    return from <= to ? { from, to } : undefined;
  }

  get partakers(): number[] {
    const { operations = [], stuck = [], edges = [] } = this.anomaly ?? {};
    const all = [...operations, ...stuck.map(([i]) => i), ...edges.flatMap(([from, to]) => [from, to])];
    return [...new Set(all)].sort((a, b) => a - b);
  }

  #shown(key: number): number[] {
    const { client, about } = this.drawing;
    const all = client.map((_, i) => i);
    return key === -1 ? all : all.filter((i) => about[i]!.includes(key));
  }

  /** The axis of order has a step for each call and each answer that is shown, and no gap for the others. */
  #rank(shown: readonly number[]): void {
    const { invoked, returned, invokedMs, returnedMs } = this.drawing;
    const events: [place: number, ms: number][] = [];
    for (const i of shown) {
      events.push([invoked[i]!, invokedMs[i] ?? 0]);
      if (returned[i] !== -1) events.push([returned[i]!, returnedMs[i] ?? 0]);
    }
    events.sort(([a], [b]) => a - b);
    this.#ranks = Float64Array.from(events, ([place]) => place);
    this.#momentOfRank = Float64Array.from(events, ([, ms]) => ms - (events[0]?.[1] ?? 0));
  }

  #rankOf(place: number): number {
    let low = 0;
    let high = this.#ranks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranks[middle]! < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a rank stands on the axis, or a place between two ranks. */
  #at(rank: number): number {
    if (this.#axis === "order") return Math.max(rank, 0);
    const below = Math.max(Math.floor(rank), 0);
    const moment = this.#momentOfRank[below] ?? 0;
    return moment + (rank - below) * ((this.#momentOfRank[below + 1] ?? moment) - moment);
  }

  /**
   * A client has a row, and one more for each call that it made before an earlier one had been answered.
   * Clients stand by name; only if they are more than one sees at once, those of the violation come first.
   */
  #putInRows(shown: readonly number[]): void {
    const ofClient: { busyUntil: number; operations: number[] }[][] = this.drawing.clients.map(() => []);
    this.rowOf.fill(-1);
    for (const i of shown) {
      const rows = ofClient[this.drawing.client[i]!]!;
      let row = rows.find(({ busyUntil }) => busyUntil <= this.start[i]!);
      if (row === undefined) rows.push((row = { busyUntil: 0, operations: [] }));
      // What nobody answered fades away, and others may be drawn over it.
      row.busyUntil = this.end[i] === Infinity ? this.start[i]! : this.end[i]!;
      row.operations.push(i);
    }
    const isMany = this.drawing.clients.length > this.#manyClients;
    const first = new Set(isMany ? this.partakers.map((i) => this.drawing.client[i]!) : []);
    const isFirst = (client: number) => Number(first.has(client));
    const clients = this.drawing.clients.map((_, client) => client).sort((a, b) => isFirst(b) - isFirst(a));
    this.rows = clients.flatMap((client) => ofClient[client]!.map(({ operations }) => operations));
    this.clientOfRow = this.rows.map(([first]) => this.drawing.client[first!]!);
    this.rows.forEach((operations, row) => {
      for (const i of operations) this.rowOf[i] = row;
    });
  }

  /**
   * Numbers the order, and chooses for each operation the first step of the axis in which it may take effect:
   * that of its call, or of the one before it if that is later. If this is after its answer, as it may be
   * where the order need not agree with real time, there are no points.
   */
  #number(order: readonly number[]): void {
    this.numberOf.fill(0);
    this.order = order.filter((i) => this.rowOf[i] !== -1);
    const inStep = new Map<number, number>();
    let step = 0;
    let lateness = 0;
    const steps = this.order.map((i, n) => {
      this.numberOf[i] = n + 1;
      step = Math.max(step, this.#rankOf(this.drawing.invoked[i]!));
      inStep.set(step, (inStep.get(step) ?? 0) + 1);
      const { [i]: returned } = this.drawing.returned;
      if (returned !== -1 && step >= this.#rankOf(returned!)) lateness++;
      return [step, inStep.get(step)!] as const;
    });
    this.points = lateness === 0 ? steps.map(([at, nth]) => this.#at(at + nth / (inStep.get(at)! + 1))) : [];
  }

  #giveRoles(): void {
    const { operations = [], stuck = [], edges = [] } = this.anomaly ?? {};
    this.roleOf = this.drawing.client.map((_, i) => (this.numberOf[i] === 0 ? "plain" : "ordered"));
    for (const i of operations) this.roleOf[i] = stuck.length > 0 ? "partaker" : "culprit";
    for (const [i] of stuck) this.roleOf[i] = "culprit";
    for (const edge of edges) this.roleOf[edge[0]] = this.roleOf[edge[1]] = "culprit";
  }
}
