import { hostname } from "node:os";
import { systemClock, type Clock } from "./base/clock.js";
import { takeCensus, type Census } from "./coordination/census.js";
import { Election } from "./coordination/election.js";
import { KeyValue } from "./coordination/key-value.js";
import { Lock, LockQueues } from "./coordination/lock.js";
import { SessionKeeper } from "./coordination/session-keeper.js";
import { checkName } from "./store/keys.js";
import { checkSessionOptions } from "./store/rules.js";
import type { Store } from "./store/store.js";

export interface LockstepOptions {
  /**
   * How long what this client holds outlives its last sign of life; 10 s unless given. A frozen holder keeps
   * others waiting for so long, and one that is merely slow loses what it holds after it.
   */
  ttlMs?: number | undefined;
  /** Shown to people who ask who holds what; the host and the process unless given. */
  label?: string | undefined;
  /** The clock to live by; for tests. */
  clock?: Clock | undefined;
}

const defaultTtlMs = 10_000;

/** Everything that coordinates, on one store. */
export class Lockstep {
  /** The store beneath, for recipes of one's own. */
  readonly store: Store;
  readonly #clock: Clock;
  readonly #keeper: SessionKeeper;
  readonly #locks: LockQueues;
  #kv: KeyValue | undefined;
  #closed: Promise<void> | undefined;

  constructor(store: Store, options: LockstepOptions = {}) {
    const { ttlMs = defaultTtlMs, label = `${hostname()}:${process.pid}`, clock = systemClock } = options;
    checkSessionOptions({ ttlMs, label }, store.guarantees);
    this.store = store;
    this.#clock = clock;
    this.#keeper = new SessionKeeper(store, { ttlMs, label, clock });
    this.#locks = new LockQueues(this.#keeper);
  }

  /** A linearizable, watched key-value store. */
  get kv(): KeyValue {
    // Not before it is wanted: an engine that cannot carry it may do for all else.
    this.#kv ??= new KeyValue(this.store);
    return this.#kv;
  }

  /**
   * The lock of that name: mutual exclusion for all who share the store. Costs nothing until it is wanted.
   */
  lock(name: string): Lock {
    checkName("the lock's name", name);
    return new Lock(name, this.#locks);
  }

  /** The election of that name: one leader at a time among all who share the store. */
  election(name: string): Election {
    checkName("the election's name", name);
    return new Election(name, this.#keeper);
  }

  /** Who holds what, who waits for it, and which sessions live. */
  async census(): Promise<Census> {
    return takeCensus(this.store, this.#clock);
  }

  /** Gives up all that this client holds and waits for; every later call throws 'closed'. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#locks.close();
    await this.#keeper.close();
    await this.store.close();
  }
}
