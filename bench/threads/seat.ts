import type { MessagePort } from "node:worker_threads";
import { words, type Part } from "./arena.js";

/** The place of one of several threads that play together. */
export class Seat {
  readonly index: number;
  readonly port: MessagePort | undefined;
  readonly #words: Int32Array;

  constructor({ index, memory, port }: NonNullable<Part["seat"]>) {
    this.index = index;
    this.port = port;
    this.#words = new Int32Array(memory);
  }

  /** To be asked before each time: whether to go on. */
  goesOn(): boolean {
    return Atomics.load(this.#words, words.isOver) === 0;
  }

  /** Settles for all whether it is over. One player calls it, while the others cannot look. */
  decide(): void {
    if (!this.goesOn()) Atomics.store(this.#words, words.decided, 1);
  }

  get isDecided(): boolean {
    return Atomics.load(this.#words, words.decided) === 1;
  }

  /** Something was done, once. */
  done(): void {
    Atomics.add(this.#words, words.done, 1);
  }

  /** Blocks until all are seated. */
  begin(players: number): void {
    Atomics.add(this.#words, words.ready, 1);
    Atomics.notify(this.#words, words.ready);
    for (;;) {
      const ready = Atomics.load(this.#words, words.ready);
      if (ready >= players) return;
      Atomics.wait(this.#words, words.ready, ready);
    }
  }
}
