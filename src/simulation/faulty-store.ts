import { systemClock, type Clock, type Timer } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { SeededRandom } from "../base/random.js";
import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot } from "../store/change.js";
import type { Guarantees } from "../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../store/rules.js";
import { KeptSession, type Session } from "../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../store/store.js";
import { closedError } from "../store/watch-feed.js";
import { SimulatedLease } from "./simulated-lease.js";

/**
 * What goes wrong on the way to the store and back. Each probability is from 0, the default, to 1. It is
 * looked at for every request, so a test may change it as it goes.
 */
export interface Faults {
  /** The same seed and the same calls give the same faults. */
  readonly seed: number;
  /** How likely a request never arrives. */
  readonly loseRequest?: number;
  /** How likely a reply never comes, so that nobody can tell what became of the request. */
  readonly loseReply?: number;
  /** How likely a change arrives once more, at some later time, whatever became of it the first time. */
  readonly duplicate?: number;
  /**
   * Every request and every reply takes up to so long; the second copy of a change up to fifty times that.
   */
  readonly delayMs?: number;
  /** The clock of the store behind. */
  readonly clock?: Clock;
}

const longestDetour = 50;

/** What will become of one request. It is drawn at once, so that it does not depend on how others fare. */
interface Fate {
  readonly requestMs: number;
  readonly replyMs: number;
  readonly requestLost: boolean;
  readonly replyLost: boolean;
  /** Whether the caller hears that a lost request is lost, and not just nothing. */
  readonly lossIsPlain: boolean;
  /** When a second copy arrives, if one does. */
  readonly againMs: number | undefined;
}

/**
 * A store behind a bad network. What a change that got lost is said to be is true: 'unavailable' was
 * certainly not made; 'unknown-outcome' was made, or was not, or is still to be made by a copy that is under
 * way.
 *
 * Sessions suffer too: renewals are requests like others. Behind this store, the real session is kept alive
 * by its engine; here it is given up when no renewal has come through for a time to live.
 */
export class FaultyStore implements Store {
  readonly #inner: Store;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #random: SeededRandom;
  readonly #underWay = new Set<Timer>();
  readonly #sessions = new Set<KeptSession>();
  #healed = false;
  #closed = false;

  constructor(inner: Store, faults: Faults) {
    for (const name of ["loseRequest", "loseReply", "duplicate"] as const)
      checkProbability(name, faults[name]);
    this.#inner = inner;
    this.#faults = faults;
    this.#clock = faults.clock ?? systemClock;
    this.#random = new SeededRandom(faults.seed);
  }

  get guarantees(): Guarantees {
    return this.#inner.guarantees;
  }

  /** Stops all faults: nothing is lost or late any more, and no copies that were under way arrive. */
  heal(): void {
    this.#healed = true;
    for (const timer of this.#underWay) timer.cancel();
    this.#underWay.clear();
  }

  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    // Copied, since the caller may use its arrays again before the last copy arrives.
    const sent = copied(change);
    return this.#change(() => this.#inner.commit(sent));
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    const fate = this.#drawFate();
    await this.#pass(fate.requestMs);
    if (this.#isLost(fate.requestLost || fate.replyLost)) throw unavailable();
    const snapshot = await this.#inner.read(query);
    await this.#pass(fate.replyMs);
    return snapshot;
  }

  watch(prefix: string, options?: WatchOptions): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    const watch = this.#inner.watch(prefix, options);
    let tail: Promise<unknown> = Promise.resolve();
    const delayed: AsyncIterableIterator<Batch | Resync, void> = {
      // One after the other, or a later event could overtake an earlier one.
      next: () => {
        const told = tail.then(async () => {
          const result = (await watch.next()) as IteratorResult<Batch | Resync, undefined>;
          await this.#pass(this.#drawDelay());
          return result;
        });
        tail = told.catch(() => undefined);
        return told;
      },
      return: async () => {
        await watch.return?.();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => delayed,
    };
    return delayed;
  }

  async openSession(options: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions(options, this.guarantees);
    const askedAt = this.#clock.now();
    // A lease whose opening is never heard of is never renewed, and so expires.
    const lease = await this.#change(async () => {
      return new SimulatedLease(await this.#inner.openSession(options), this.#clock);
    });
    const link = {
      renew: () => this.#change(async () => lease.renew()),
      end: () => this.#change(() => lease.end()),
    };
    const session = new KeptSession(lease.id, options.ttlMs, askedAt, link, this.#clock);
    this.#sessions.add(session);
    session.onEnd(() => this.#sessions.delete(session));
    lease.onEnd(() => {
      session.lose();
    });
    return session;
  }

  /** Heals first: what is lost for good would keep the sessions' ends waiting. */
  async close(): Promise<void> {
    this.#closed = true;
    this.heal();
    await Promise.all([...this.#sessions].map((session) => session.end()));
    await this.#inner.close();
  }

  /** Sends what may change something: it may arrive never, once or twice. */
  async #change<T>(deliver: () => Promise<T>): Promise<T> {
    const fate = this.#drawFate();
    if (fate.againMs !== undefined) this.#deliverAgain(fate.againMs, deliver);
    await this.#pass(fate.requestMs);
    if (this.#isLost(fate.requestLost)) {
      throw fate.lossIsPlain && fate.againMs === undefined ? unavailable() : unknownOutcome();
    }
    const reply = await deliver();
    await this.#pass(fate.replyMs);
    if (this.#isLost(fate.replyLost)) throw unknownOutcome();
    return reply;
  }

  #deliverAgain(afterMs: number, deliver: () => Promise<unknown>): void {
    const timer = this.#clock.after(
      afterMs,
      () => {
        this.#underWay.delete(timer);
        // Nobody waits for this verdict, whatever it is.
        deliver().catch(() => undefined);
      },
      "background",
    );
    this.#underWay.add(timer);
  }

  /**
   * Always takes as many numbers from the generator, so that one fault more or less leaves the others alone.
   */
  #drawFate(): Fate {
    const { loseRequest = 0, loseReply = 0, duplicate = 0, delayMs = 0 } = this.#faults;
    const fate = {
      requestMs: this.#drawDelay(),
      replyMs: this.#drawDelay(),
      requestLost: this.#random.chance(loseRequest),
      replyLost: this.#random.chance(loseReply),
      lossIsPlain: this.#random.chance(0.5),
    };
    const again = this.#random.chance(duplicate);
    const againMs = this.#random.next() * longestDetour * delayMs;
    return { ...fate, againMs: again && !this.#healed ? againMs : undefined };
  }

  #drawDelay(): number {
    return this.#random.next() * (this.#faults.delayMs ?? 0);
  }

  #isLost(fated: boolean): boolean {
    return fated && !this.#healed;
  }

  async #pass(ms: number): Promise<void> {
    if (ms > 0 && !this.#healed) await new Promise<void>((resolve) => this.#clock.after(ms, resolve));
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function copied(change: Change): Change {
  const then = change.then.map((write) =>
    write.kind === "put" ? { ...write, value: new Uint8Array(write.value) } : { ...write },
  );
  return { ...change, when: [...(change.when ?? [])], then };
}

function checkProbability(name: string, probability = 0): void {
  if (probability >= 0 && probability <= 1) return;
  throw new LockstepError("bad-input", `${name} must be a probability from 0 to 1, not ${probability}`);
}

function unavailable(): LockstepError {
  return new LockstepError("unavailable", "the request did not reach the store: a simulated fault");
}

function unknownOutcome(): LockstepError {
  return new LockstepError("unknown-outcome", "the store did not answer: a simulated fault", {
    applied: "maybe",
  });
}
