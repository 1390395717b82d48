import { isLockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import { lostError } from "../store/session.js";
import { closedError } from "../store/watch-feed.js";
import { WaitQueue } from "../sync/wait-queue.js";
import { Held, type HeldEnd } from "./held.js";
import { QueuePlace } from "./queue-place.js";
import type { SessionKeeper } from "./session-keeper.js";
import { encodeTicket } from "./ticket.js";

/**
 * All of one process that want the same lock. They wait here, in turn, and take one place at a time in the
 * store's queue: ten thousand waiting tasks cost the store one key, and a process with many tasks gets no
 * more turns than a process with one.
 */
export class LockQueue {
  readonly #keeper: SessionKeeper;
  readonly #name: string;
  readonly #what: string;
  readonly #queue: string;
  readonly #onIdle: () => void;
  readonly #waiting: WaitQueue<Held>;
  /** The place that is being waited on, or held. */
  #place: QueuePlace | undefined;
  #holder: Held | undefined;
  /** Someone is at work on `place`: taking it, waiting on it, giving it up. Nobody else may touch it. */
  #busy = false;
  /** Ends the wait in the store when all who wait here have given up. */
  #noneWaits: AbortController | undefined;

  constructor(keeper: SessionKeeper, name: string, queue: string, onIdle: () => void) {
    this.#keeper = keeper;
    this.#name = name;
    this.#what = `the lock "${name}"`;
    this.#queue = queue;
    this.#onIdle = onIdle;
    // Who gives up shall not take a store that is away for somebody who has the lock.
    const awaited = () => (this.#place ? this.#what : `${this.#what}, and for an answer of the store`);
    this.#waiting = new WaitQueue(keeper.clock, awaited, () => {
      if (this.#waiting.isEmpty) this.#noneWaits?.abort();
    });
  }

  acquire(patience: Patience): Promise<Held> {
    const granted = this.#waiting.wait(undefined, patience);
    if (!this.#busy && !this.#holder) void this.#serve();
    return granted;
  }

  /** Null when somebody has it, or is before us in wanting it. */
  async tryAcquire(): Promise<Held | null> {
    if (this.#busy || this.#holder) return null;
    this.#busy = true;
    try {
      this.#place = await this.#take();
      // A session that was lost before the reply came says nothing of the lock: ask again.
      while (this.#place.isFirst && !this.#place.session.isValid()) {
        await this.#leave();
        this.#place = await this.#take();
      }
      if (this.#place.isFirst) return this.#grant(this.#place);
      // Who began to wait here in the meantime has the place; else it is given up.
      if (this.#waiting.isEmpty) await this.#leave();
      return null;
    } finally {
      this.#free();
    }
  }

  /** Rejects all who wait; what is held ends with its session. */
  close(): void {
    for (const waiter of this.#waiting.drain()) waiter.refuse(closedError());
    this.#noneWaits?.abort();
  }

  /** Gets a place and waits on it, until the first in line is served or nobody is left. */
  async #serve(): Promise<void> {
    this.#busy = true;
    while (!this.#holder && !(this.#waiting.isEmpty && !this.#place)) {
      try {
        if (this.#waiting.isEmpty) {
          await this.#leave();
          continue;
        }
        this.#place ??= await this.#take();
        if (!this.#place.isFirst) await this.#untilFirst(this.#place);
        // All may have given up meanwhile; then the next round gives up the place.
        if (this.#place.isFirst) this.#serveFirst(this.#place);
      } catch (error) {
        await this.#leave();
        // A session that was lost costs the place in the queue, and no waiter its wait.
        if (!isLockstepError(error, "lost")) this.#waiting.shift()?.refuse(error);
      }
    }
    this.#free();
  }

  #serveFirst(place: QueuePlace): void {
    // Granted only if the session is valid now: a freeze may lie between the store's reply and this line.
    if (!place.session.isValid()) throw lostError(this.#what);
    const waiter = this.#waiting.shift();
    if (waiter) waiter.grant(this.#grant(place));
  }

  #take(instead?: QueuePlace): Promise<QueuePlace> {
    const ticket = encodeTicket({ since: this.#keeper.clock.wallNow() });
    return QueuePlace.take(this.#keeper, this.#queue, ticket, instead);
  }

  async #untilFirst(place: QueuePlace): Promise<void> {
    const noneWaits = new AbortController();
    this.#noneWaits = noneWaits;
    try {
      await place.untilFirst(noneWaits.signal);
    } catch (error) {
      if (!noneWaits.signal.aborted) throw error;
    } finally {
      this.#noneWaits = undefined;
    }
  }

  async #leave(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    await place?.leave();
  }

  #grant(place: QueuePlace): Held {
    const held = new Held(this.#name, this.#what, place, (how) => this.#ended(how));
    this.#holder = held;
    return held;
  }

  async #ended(how: HeldEnd): Promise<void> {
    const place = this.#place;
    this.#holder = undefined;
    this.#place = undefined;
    if (how === "lost") {
      void place?.forget();
      this.#free();
      return;
    }
    this.#busy = true;
    try {
      // One commit gives the lock up and queues for the next of us, behind the other processes.
      if (this.#waiting.isEmpty) await place?.leave();
      else this.#place = await this.#take(place);
    } catch (error) {
      await place?.leave();
      this.#waiting.shift()?.refuse(error);
    }
    this.#free();
  }

  /** Nobody is at work on the place any more: the next may be, or all is over. */
  #free(): void {
    this.#busy = false;
    if (this.#holder) return;
    if (this.#place || !this.#waiting.isEmpty) void this.#serve();
    else this.#onIdle();
  }
}
