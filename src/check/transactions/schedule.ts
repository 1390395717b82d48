import type { Budget } from "../budget.js";
import type { EventGraph } from "./event-graph.js";
import type { Observations } from "./observations.js";

/** "found": all could have happened so. "none": certainly not. "unknown": time ran out. */
export interface Schedule {
  readonly is: "found" | "none" | "unknown";
  /** The longest order of moments that could be found, by transactions. */
  readonly longest: readonly number[];
}

const stepsBetweenLooks = 1024;

/**
 * Looks for an order of all moments in which every read sees the version that is there: it is run, moment by
 * moment, so what is found is proven, whatever was thought of before. Where several moments are possible it
 * tries them in the order given, and comes back for the others.
 *
 * Two things keep it from trying what leads nowhere. A version that somebody has yet to read is not written
 * over: it would never come back. And so of each key only the version still to be read matters, which
 * follows from who has gone already; hence two orders of the same moments have the same future, and one that
 * failed is enough.
 */
export class ScheduleSearch {
  readonly #observations: Observations;
  readonly #events: EventGraph;
  /** The moments by their places in the order given; a list of places links those that are left. */
  readonly #order: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** By nodes: how many must still come before. */
  readonly #missing: Int32Array;
  /** By keys: the version that is there, and who is about to write it. */
  readonly #current: Int32Array;
  readonly #writing: Int32Array;
  /** By versions: how many have yet to read it. */
  readonly #readers: Int32Array;
  /** For undoing: the versions that were written over, the last one last. */
  readonly #overwritten: number[] = [];
  /** The places that were taken, in their order, and the greatest of them at each time. */
  readonly #placed: number[] = [];
  readonly #greatest: number[] = [-1];
  readonly #failed = new Set<string>();
  /** Nodes whose edges are to be followed. */
  readonly #stack: number[] = [];
  /** The place to look at next. */
  #place: number;
  #longest: readonly number[] = [];

  constructor(observations: Observations, events: EventGraph, order: Int32Array) {
    const { keys, writeCount, readVersion } = observations;
    this.#observations = observations;
    this.#events = events;
    this.#order = order;
    // The place after the last links to the first.
    const ring = order.length + 1;
    this.#next = Int32Array.from({ length: ring }, (_, place) => (place + 1) % ring);
    this.#previous = Int32Array.from({ length: ring }, (_, place) => (place + ring - 1) % ring);
    this.#missing = new Int32Array(events.graph.nodes);
    for (const target of events.graph.to) this.#missing[target]!++;
    this.#current = Int32Array.from(keys, (_, key) => observations.initialVersion(key));
    this.#writing = new Int32Array(keys.length).fill(-1);
    this.#readers = new Int32Array(writeCount + keys.length);
    for (const version of readVersion) this.#readers[version]!++;
    this.#settleStations();
    this.#place = this.#next[order.length]!;
  }

  /** Goes on for so many steps at most; called again it goes on from there. */
  run(budget: Budget, mostSteps = Infinity): Schedule {
    const end = this.#order.length;
    for (let steps = 1; this.#placed.length < end; steps++) {
      const isLate = steps > mostSteps || (steps % stepsBetweenLooks === 0 && budget.isSpent);
      if (isLate) return { is: "unknown", longest: this.#longest };
      let place = this.#place;
      while (place !== end && !this.#isPossible(this.#order[place]!)) place = this.#next[place]!;
      if (place !== end) {
        this.#do(place);
        // Only if something was undone before can the same moments have failed.
        const hasFailed = this.#failed.size > 0 && this.#failed.has(this.#taken());
        this.#place = hasFailed ? this.#next[this.#undo()]! : this.#next[end]!;
        continue;
      }
      if (this.#placed.length > this.#longest.length) this.#longest = this.#transactions();
      this.#failed.add(this.#taken());
      let undone: number;
      do {
        if (this.#placed.length === 0) return { is: "none", longest: this.#longest };
        undone = this.#undo();
        // What only reads could be done at once and harmed nobody: without it nothing else is possible.
      } while (this.#onlyReads(this.#order[undone]!));
      this.#place = this.#next[undone]!;
    }
    return { is: "found", longest: this.#transactions() };
  }

  #isPossible(event: number): boolean {
    if (this.#missing[event] !== 0) return false;
    const { firstRead, readVersion, firstVersion, versionKey } = this.#observations;
    const transaction = this.#events.transactionOf(event);
    const isStart = this.#events.isStart(event);
    const isCommit = this.#events.isCommit(event);
    const readEnd = firstRead[transaction + 1]!;
    for (let at = firstRead[transaction]!; isStart && at < readEnd; at++) {
      const version = readVersion[at]!;
      if (this.#current[this.#observations.keyOfVersion(version)] !== version) return false;
    }
    for (let version = firstVersion[transaction]!; version < firstVersion[transaction + 1]!; version++) {
      const key = versionKey[version]!;
      if (!isCommit && this.#writing[key] !== -1) return false;
      if (!isCommit) continue;
      const current = this.#current[key]!;
      let readers = this.#readers[current]!;
      for (let at = firstRead[transaction]!; isStart && at < readEnd; at++) {
        if (readVersion[at] === current) readers--;
      }
      if (readers > 0) return false;
    }
    return true;
  }

  #do(place: number): void {
    const event = this.#order[place]!;
    this.#next[this.#previous[place]!] = this.#next[place]!;
    this.#previous[this.#next[place]!] = this.#previous[place]!;
    this.#placed.push(place);
    this.#greatest.push(Math.max(place, this.#greatest.at(-1)!));
    const { firstRead, readVersion, firstVersion, versionKey } = this.#observations;
    const transaction = this.#events.transactionOf(event);
    const isCommit = this.#events.isCommit(event);
    if (this.#events.isStart(event)) {
      const readEnd = firstRead[transaction + 1]!;
      for (let at = firstRead[transaction]!; at < readEnd; at++) this.#readers[readVersion[at]!]!--;
    }
    for (let version = firstVersion[transaction]!; version < firstVersion[transaction + 1]!; version++) {
      if (this.#observations.isIntermediate(version)) continue;
      const key = versionKey[version]!;
      if (isCommit) this.#overwritten.push(this.#current[key]!);
      if (isCommit) this.#current[key] = version;
      this.#writing[key] = isCommit ? -1 : transaction;
    }
    this.#follow(event, -1);
  }

  /** Takes the last moment back, and gives its place. */
  #undo(): number {
    const place = this.#placed.pop()!;
    this.#greatest.pop();
    const event = this.#order[place]!;
    this.#follow(event, 1);
    const { firstRead, readVersion, firstVersion, versionKey } = this.#observations;
    const transaction = this.#events.transactionOf(event);
    const isStart = this.#events.isStart(event);
    for (let version = firstVersion[transaction + 1]! - 1; version >= firstVersion[transaction]!; version--) {
      if (this.#observations.isIntermediate(version)) continue;
      const key = versionKey[version]!;
      if (this.#events.isCommit(event)) this.#current[key] = this.#overwritten.pop()!;
      this.#writing[key] = isStart ? -1 : transaction;
    }
    if (isStart) {
      const readEnd = firstRead[transaction + 1]!;
      for (let at = firstRead[transaction]!; at < readEnd; at++) this.#readers[readVersion[at]!]!++;
    }
    this.#next[this.#previous[place]!] = place;
    this.#previous[this.#next[place]!] = place;
    return place;
  }

  #settleStations(): void {
    const { nodes } = this.#events.graph;
    const free = [];
    for (let node = this.#events.events; node < nodes; node++) if (this.#missing[node] === 0) free.push(node);
    for (const node of free) this.#follow(node, -1);
    const taken = new Uint8Array(nodes);
    for (const event of this.#order) taken[event] = 1;
    // Those that are in no order hold nobody up.
    for (let event = 0; event < this.#events.events; event++) if (taken[event] === 0) this.#follow(event, -1);
  }

  /** One more (1) or one less (-1) must come before all that this node comes before, also over stations. */
  #follow(node: number, change: 1 | -1): void {
    const { first, to } = this.#events.graph;
    const stack = this.#stack;
    stack.push(node);
    for (let from = stack.pop(); from !== undefined; from = stack.pop()) {
      for (let edge = first[from]!; edge < first[from + 1]!; edge++) {
        const target = to[edge]!;
        this.#missing[target]! += change;
        const isOpened = this.#missing[target] === (change === 1 ? 1 : 0);
        if (isOpened && target >= this.#events.events) stack.push(target);
      }
    }
  }

  #onlyReads(event: number): boolean {
    const { firstVersion } = this.#observations;
    const transaction = this.#events.transactionOf(event);
    return firstVersion[transaction] === firstVersion[transaction + 1];
  }

  /** Which places were taken: all up to the greatest save those that are left. */
  #taken(): string {
    const end = this.#order.length;
    const greatest = this.#greatest.at(-1)!;
    let text = String(greatest);
    for (let place = this.#next[end]!; place < greatest; place = this.#next[place]!) text += `,${place}`;
    return text;
  }

  #transactions(): number[] {
    return this.#placed.map((place) => this.#events.transactionOf(this.#order[place]!));
  }
}
