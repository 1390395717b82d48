import { AsyncLocalStorage } from "node:async_hooks";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { checkPatience, tooLate, type Patience } from "../base/patience.js";
import { escapeSegment } from "../store/keys.js";
import type { Store } from "../store/store.js";
import type { Held } from "./held.js";
import { LockQueue } from "./lock-queue.js";
import { checkNeed } from "./needs.js";
import type { SessionKeeper } from "./session-keeper.js";

/** A section that is running inside {@link Lock.run}, and the sections around it. */
interface Section {
  readonly queue: LockQueue;
  readonly held: Held;
  readonly outer: Section | undefined;
}

const sections = new AsyncLocalStorage<Section>();

/** The queues of the locks that this client has tasks in; a name that nobody uses leaves nothing here. */
export class LockQueues {
  readonly #keeper: SessionKeeper;
  readonly #byName = new Map<string, LockQueue>();

  constructor(keeper: SessionKeeper) {
    this.#keeper = keeper;
  }

  get store(): Store {
    return this.#keeper.store;
  }

  of(name: string): LockQueue {
    let queue = this.#byName.get(name);
    if (!queue) {
      const path = `lock/${escapeSegment(name)}/`;
      queue = new LockQueue(this.#keeper, name, path, () => this.#byName.delete(name));
      this.#byName.set(name, queue);
    }
    return queue;
  }

  close(): void {
    for (const queue of this.#byName.values()) queue.close();
  }
}

/**
 * Mutual exclusion by name, for all who share the store.
 *
 * *Fairness*: processes are served in the order in which they asked, and so are the tasks of one process;
 * each process waits in line once, however many of its tasks want the lock.
 *
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects at once and is never granted.
 *
 * *Failure*: a holder that dies is noticed, and one that freezes loses the lock when its session expires. See
 * {@link Held}.
 */
export class Lock {
  readonly name: string;
  readonly #queues: LockQueues;

  /** @internal */
  constructor(name: string, queues: LockQueues) {
    checkNeed("a lock", "fencing tokens that rise across a failover", queues.store);
    this.name = name;
    this.#queues = queues;
  }

  /** Waits for the lock. A second acquire in one process queues like anyone else's. */
  acquire(patience: Patience = {}): Promise<Held> {
    try {
      checkOptions(patience, ["signal", "timeoutMs"]);
      checkPatience(patience);
      const queue = this.#queues.of(this.name);
      this.#refuseReentry(queue);
      return patience.timeoutMs === 0 ? this.#acquireAtOnce() : queue.acquire(patience);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** No time to wait is time enough to ask. */
  async #acquireAtOnce(): Promise<Held> {
    const held = await this.tryAcquire();
    if (held) return held;
    throw tooLate(`the lock "${this.name}"`, 0);
  }

  /** Takes the lock if it is free, and says null if it is not; it never waits for a holder. */
  tryAcquire(): Promise<Held | null> {
    return this.#queues.of(this.name).tryAcquire();
  }

  /**
   * Acquires, runs the section, releases.
   *
   * *Failure*: rejects with 'lost' when the lock was lost before the section ended, though the section did
   * not fail: it may have run beside another one. What the section itself throws goes first.
   */
  async run<T>(section: (held: Held) => T, patience: Patience = {}): Promise<Awaited<T>> {
    if (typeof section !== "function") {
      throw new LockstepError("bad-input", "run needs the section to run, as in run(async (held) => { … })");
    }
    const held = await this.acquire(patience);
    const queue = this.#queues.of(this.name);
    let result: Awaited<T>;
    try {
      result = await sections.run({ queue, held, outer: sections.getStore() }, () => section(held));
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
    await held.finish();
    return result;
  }

  /** Waiting for a lock that the waiting code itself holds would never end. */
  #refuseReentry(queue: LockQueue): void {
    for (let section = sections.getStore(); section; section = section.outer) {
      if (section.queue !== queue || !section.held.isHeld) continue;
      throw new LockstepError(
        "misuse",
        `the lock "${this.name}" is held by the section that asks for it again, which would wait for ` +
          `itself for ever; pass the section's \`held\` on to what needs the lock, or take it in one of them`,
      );
    }
  }
}
