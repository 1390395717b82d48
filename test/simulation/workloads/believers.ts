import type { SimulatedProcess, World } from "lockstep/simulation";

/** What is held, as a lock or an election gives it. */
interface Holding {
  readonly token: bigint;
  readonly isHeld: boolean;
}

/**
 * Who believes to hold something. While one may believe it, the key that says so is in the store: that is
 * asked whenever a session expires there, be there anyone to be granted what it held or not.
 */
export class Believers {
  readonly #all = new Map<Holding, SimulatedProcess>();

  /** Until it is released; one who loses it or dies believes no more. */
  add(process: SimulatedProcess, held: Holding): void {
    this.#all.set(held, process);
  }

  remove(held: Holding): void {
    this.#all.delete(held);
  }

  /** The processes that can think and are wrong, with what they believe to hold. */
  wrong(world: World): string[] {
    const tokens = new Set(
      world.look({ prefix: "", order: "created" }).entries.map(({ created }) => created),
    );
    const wrong: string[] = [];
    for (const [held, process] of this.#all) {
      if (process.isKilled) this.#all.delete(held);
      else if (process.isRunning && !tokens.has(held.token) && held.isHeld) {
        wrong.push(`${process.name} believes to hold ${held.token}, of which the store knows nothing`);
      }
    }
    return wrong;
  }
}
