import type { Operation } from "lockstep/check";
import { SeededRandom } from "../../src/base/random.js";
import { Barrier, type BarrierHandle } from "../../src/threads/barrier.js";

/** What a thread needs to know to write down its part of what several do. */
export interface Part {
  /** Which of the threads it is. */
  self: number;
  seed: number;
  /** Where they all wait until they begin together. */
  start: BarrierHandle;
  /** The first word counts the moments. */
  moments: Int32Array;
}

/** Nobody wakes who sleeps here. */
const napping = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes down what one of several threads does, in the one order of moments that all of them count. It does
 * one thing after the other.
 */
export class ThreadRecord {
  readonly operations: Operation[] = [];
  readonly random: SeededRandom;
  readonly #part: Part;

  /** Blocks until all others are here, too. */
  constructor(part: Part) {
    this.#part = part;
    this.random = new SeededRandom(part.seed + part.self);
    Barrier.from(part.start).waitSync();
  }

  /** The call begins now, and is over when what this returns is called; if it never is, nothing happened. */
  begin(name: string, ...args: unknown[]): (result?: unknown) => void {
    const { self: client } = this.#part;
    const invoked = this.#moment();
    return (result) => {
      const returned = this.#moment();
      this.operations.push({ client, name, args, result, outcome: "ok", invoked, returned });
    };
  }

  /** Takes that much of a lock, in a way that calls what it is given while it has it, and gives it back. */
  async section(weight: readonly number[], take: (inside: () => void) => unknown): Promise<void> {
    const acquired = this.begin("acquire", ...weight);
    let released = (): void => undefined;
    await take(() => {
      acquired();
      // Long enough for others to come, also where there are more threads than cores.
      if (this.random.chance(0.1)) Atomics.wait(napping, 0, 0, 1);
      released = this.begin("release", ...weight);
    });
    released();
  }

  #moment(): number {
    return Atomics.add(this.#part.moments, 0, 1);
  }
}
