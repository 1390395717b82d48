import type { SeededRandom } from "../base/random.js";
import type { Chronicle } from "./chronicle.js";
import type { Hazards } from "./hazards.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { StoreServer } from "./store-server.js";
import type { Timeline } from "./timeline.js";

export type Direction = "out" | "in";

/** How long messages take, and which are lost, between the processes and the store. */
export class Wire {
  readonly timeline: Timeline;
  readonly server: StoreServer;
  readonly chronicle: Chronicle;
  readonly #random: SeededRandom;
  /** The directions in which a process is cut off. */
  readonly #cuts = new Map<string, readonly Direction[]>();
  /** What is to be done when a process' connection breaks. */
  readonly #connections = new Map<() => void, SimulatedProcess>();
  #hazards: Hazards;
  #isStoreAway = false;

  constructor(
    timeline: Timeline,
    server: StoreServer,
    chronicle: Chronicle,
    random: SeededRandom,
    hazards: Hazards,
  ) {
    this.timeline = timeline;
    this.server = server;
    this.chronicle = chronicle;
    this.#random = random;
    this.#hazards = hazards;
  }

  get hazards(): Hazards {
    return this.#hazards;
  }

  /** From now on; what is under way stays under way. */
  set hazards(hazards: Hazards) {
    this.#hazards = hazards;
  }

  /**
   * Carries a request to the store. If it is lost, either the process hears of it, or `onLost` is called, of
   * which it hears nothing.
   */
  send(from: SimulatedProcess, arrive: () => void, onRefused: () => void, onLost?: () => void): void {
    if (from.isKilled) return;
    const isLost = this.#isCut(from, "out") || this.#loses(this.#hazards.loseRequest, "lost request", from);
    const isPlain = this.#random.chance(0.5);
    this.timeline.after(this.#delay(), () => {
      if (!isLost && !this.#isStoreAway) {
        this.chronicle.note(this.timeline.now(), "request", from.name);
        arrive();
      } else if (isPlain) this.#hand(from, onRefused);
      else onLost?.();
    });
  }

  /** Carries a reply to a process. False when it is lost; the process does not hear of that. */
  reply(to: SimulatedProcess, arrive: () => void): boolean {
    return this.replyAt(this.arrival(), to, arrive);
  }

  /** The same, at a moment that the caller chose, for what must come in order. */
  replyAt(at: number, to: SimulatedProcess, arrive: () => void): boolean {
    if (this.#isCut(to, "in") || this.#loses(this.#hazards.loseReply, "lost reply", to)) return false;
    this.timeline.after(at - this.timeline.now(), () => {
      this.#hand(to, arrive);
    });
    return true;
  }

  /** When a message would arrive that is sent now. */
  arrival(): number {
    return this.timeline.now() + this.#delay();
  }

  /** Maybe lets a change whose reply was lost arrive once more. */
  maybeAgain(from: SimulatedProcess, arrive: () => void): void {
    if (!this.#random.chance(this.#hazards.duplicate)) return;
    this.timeline.after(this.#random.next() * this.#hazards.longDelayMs, () => {
      if (this.#isStoreAway) return;
      this.chronicle.count(this.timeline.now(), "late copy", from.name);
      arrive();
    });
  }

  /** A whim of the network. */
  chance(probability: number): boolean {
    return this.#random.chance(probability);
  }

  cut(process: SimulatedProcess, directions: readonly Direction[]): void {
    this.#cuts.set(process.name, directions);
  }

  mend(process: SimulatedProcess): void {
    this.#cuts.delete(process.name);
  }

  /** Nobody can reach the store, and all connections to it break. */
  takeStoreAway(): void {
    this.#isStoreAway = true;
    for (const onBreak of [...this.#connections.keys()]) onBreak();
  }

  bringStoreBack(): void {
    this.#isStoreAway = false;
  }

  /** Keeps a connection, until it breaks or that is called off. */
  connect(process: SimulatedProcess, onBreak: () => void): () => void {
    this.#connections.set(onBreak, process);
    return () => this.#connections.delete(onBreak);
  }

  /** Breaks all connections of a process. */
  disconnect(process: SimulatedProcess): void {
    for (const [onBreak, of] of [...this.#connections]) if (of === process) onBreak();
  }

  #hand(to: SimulatedProcess, arrive: () => void): void {
    to.perform("message", () => {
      this.chronicle.note(this.timeline.now(), "reply", to.name);
      arrive();
    });
  }

  #isCut({ name }: SimulatedProcess, direction: Direction): boolean {
    return this.#cuts.get(name)?.includes(direction) ?? false;
  }

  #loses(probability: number, what: string, who: SimulatedProcess): boolean {
    if (probability === 0 || !this.#random.chance(probability)) return false;
    this.chronicle.count(this.timeline.now(), what, who.name);
    return true;
  }

  #delay(): number {
    const { delayMs, delay, longDelayMs } = this.#hazards;
    const usualMs = delayMs * (1 + this.#random.next());
    return delay > 0 && this.#random.chance(delay) ? this.#random.next() * longDelayMs : usualMs;
  }
}
