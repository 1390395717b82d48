// Programs made up at random. Those that take locks in one order that all share never see a 'deadlock'; those
// that do not, see one or end without: in no case do they hang.
import { isLockstepError, SeededRandom } from "lockstep/base";
import { detectDeadlocks, KeyedMutex, Mutex, RwLock, Semaphore, type Held } from "lockstep/sync";
import { expect, test } from "vitest";
import { settled } from "./outcome.js";

/** All that a random task knows of a lock. */
interface Lockable {
  acquire: () => Promise<Held>;
  tryAcquire: () => Held | null;
  run: (section: () => Promise<void>) => Promise<void>;
}

class Program {
  readonly #random: SeededRandom;
  readonly #locks: Lockable[];
  readonly #isOrdered: boolean;

  constructor(seed: number, isOrdered: boolean) {
    this.#random = new SeededRandom(seed);
    this.#isOrdered = isOrdered;
    this.#locks = Array.from({ length: 5 }, () => this.#lock());
  }

  /** Starts all tasks: some side by side in one stretch, some with something awaited in between. */
  async main(): Promise<void> {
    const tasks: Promise<void>[] = [];
    for (let i = 0; i < 8; i++) {
      tasks.push(this.#random.chance(0.3) ? this.#fanOut() : this.#task());
      if (this.#random.chance(0.4)) await this.#turns();
    }
    const results = await Promise.allSettled(tasks);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** A few tasks, awaited together by one that holds nothing. */
  async #fanOut(): Promise<void> {
    await Promise.all(Array.from({ length: 3 }, () => this.#task()));
  }

  async #task(): Promise<void> {
    const rounds = 1 + this.#random.below(3);
    for (let round = 0; round < rounds; round++) {
      const plan = this.#plan();
      try {
        await (this.#random.chance(0.3) ? this.#loop(plan) : this.#nest(plan));
      } catch (error) {
        if (this.#isOrdered || !isLockstepError(error, "deadlock")) throw error;
      }
    }
  }

  /** Each takes a lock, and holds it while the next is taken inside. */
  async #nest([first, ...rest]: Lockable[]): Promise<void> {
    if (first === undefined) return this.#turns();
    const way = this.#random.below(5);
    if (way === 0) {
      await first.run(() => this.#nest(rest));
    } else if (way === 1) {
      // One that nobody waits for may be waited for by others.
      using held = this.#isOrdered ? first.tryAcquire() : null;
      if (held !== null) await this.#nest(rest);
    } else if (way === 2) {
      using _held = await this.#takeSlowly(first);
      await this.#nest(rest);
    } else {
      const held = await first.acquire();
      try {
        if (this.#random.chance(0.5)) await this.#turns();
        await this.#nest(rest);
      } finally {
        await this.#giveBack(held);
      }
    }
  }

  async #loop(plan: Lockable[]): Promise<void> {
    const held: Held[] = [];
    try {
      for (const lock of plan) {
        held.push(await lock.acquire());
        await this.#turns();
      }
    } finally {
      for (const each of held) await this.#giveBack(each);
    }
  }

  async #takeSlowly(lock: Lockable): Promise<Held> {
    await this.#turns();
    return lock.acquire();
  }

  /** In another function than the one that took it. */
  async #giveBack(held: Held): Promise<void> {
    if (this.#random.chance(0.5)) await this.#turns();
    held.release();
  }

  #plan(): Lockable[] {
    const plan = this.#locks.filter(() => this.#random.chance(0.5));
    if (this.#isOrdered) return plan;
    return plan
      .map((lock) => ({ lock, place: this.#random.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ lock }) => lock);
  }

  async #turns(): Promise<void> {
    for (let i = this.#random.below(3); i > 0; i--) await settled();
    if (this.#random.chance(0.5)) await Promise.resolve();
  }

  #lock(): Lockable {
    const kind = this.#random.below(4);
    if (kind === 0) return lockable(new Mutex());
    if (kind === 1) return lockable(new Semaphore(2));
    const isReader = () => this.#random.chance(0.5);
    if (kind === 2) {
      const lock = new RwLock();
      return {
        acquire: () => (isReader() ? lock.read.acquire() : lock.write.acquire()),
        tryAcquire: () => (isReader() ? lock.read.tryAcquire() : lock.write.tryAcquire()),
        run: (section) => (isReader() ? lock.read.run(section) : lock.write.run(section)),
      };
    }
    const keyed = new KeyedMutex<number>();
    const keys = () => [0, 1, 2].filter((key) => key === 0 || this.#random.chance(0.5)).reverse();
    return {
      acquire: () => keyed.acquire(keys()),
      tryAcquire: () => keyed.tryAcquire(keys()),
      run: (section) => keyed.run(keys(), section),
    };
  }
}

function lockable(lock: Mutex | Semaphore): Lockable {
  return {
    acquire: () => lock.acquire(),
    tryAcquire: () => lock.tryAcquire(),
    run: (section) => lock.run(section),
  };
}

/** Whether it ended, or hangs. */
async function ends(program: Promise<void>): Promise<boolean> {
  const ended = program.then(() => true);
  const isLate = async () => {
    for (let turn = 0; turn < 2000; turn++) await settled();
    return false;
  };
  return Promise.race([ended, isLate()]);
}

const seeds = Array.from({ length: 150 }, (_, seed) => seed);

test("programs that take locks in one order are never refused", async () => {
  for (const seed of seeds) {
    using detector = detectDeadlocks();
    expect(await ends(new Program(seed, true).main()), `seed ${seed}`).toBe(true);
    expect(detector.report(), `seed ${seed}`).toEqual([]);
  }
});

test("programs that take locks in any order never hang", async () => {
  for (const seed of seeds) {
    using detector = detectDeadlocks();
    const isOver = await ends(new Program(seed, false).main());
    expect(isOver, `seed ${seed}: ${JSON.stringify(detector.report())}`).toBe(true);
    expect(detector.report(), `seed ${seed}`).toEqual([]);
  }
});

test("without the detector, many of them do hang", async () => {
  let hung = 0;
  for (const seed of seeds.slice(0, 20)) if (!(await ends(new Program(seed, false).main()))) hung++;
  expect(hung).toBeGreaterThan(3);
});
