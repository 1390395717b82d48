import type { Clock } from "../base/clock.js";
import { delivered } from "../base/courier.js";
import { tooLate, whenPatienceEnds, type Patience } from "../base/patience.js";

/** One who waits. Settled by whoever takes it out of its queue, and by nobody else. */
export class Waiter<Grant, Request = undefined> {
  /** What it waits for, in the words of its queue's owner: a weight, a value to hand over. */
  readonly request: Request;
  /** Once it has aborted, nothing may be granted any more. */
  readonly signal: AbortSignal | undefined;
  readonly #resolve: (grant: Grant | Promise<never>) => void;
  /** Ends what would give the wait up: timer, abort listener. */
  callOff: (() => void) | undefined;
  /** @internal Where it stands in the ring of its queue; `out` when it has left. */
  position = out;

  constructor(
    request: Request,
    signal: AbortSignal | undefined,
    resolve: (grant: Grant | Promise<never>) => void,
  ) {
    this.request = request;
    this.signal = signal;
    this.#resolve = resolve;
  }

  /** Whether it is in its queue still. */
  get isWaiting(): boolean {
    return this.position !== out;
  }

  grant(value: Grant): void {
    this.#resolve(value);
  }

  refuse(error: unknown): void {
    // A promise's own `reject` would be one more function for each waiter to keep.
    this.#resolve(Promise.reject(error));
  }
}

const out = -1;
/** Positions stay small integers, which cost no memory, by starting again at zero. */
const lastPosition = 2 ** 30 - 1;
const leastRoom = 16;

/**
 * Those who wait, first come, first served: the one queue under everything that waits in an event loop.
 *
 * The queue itself decides every race between being served and giving up: one event loop runs `shift` and
 * `remove` one after the other, whichever comes first takes the waiter out, and only who took it out settles
 * it.
 *
 * It is a ring, and leaving from the middle leaves a hole. (A linked list would be simpler, and is half as
 * fast with ten thousand waiters: its links tie the garbage collector's generations together.) The head is
 * never a hole, and the ring is made anew when it is full or mostly empty, so holes are at most as many as
 * eight times those who wait, and moving them costs each waiter no more than a few steps.
 */
export class WaitQueue<Grant, Request = undefined> {
  readonly #clock: Clock;
  readonly #awaited: string | (() => string);
  readonly #onGivenUp: (() => void) | undefined;
  /** Its length is a power of two, or zero as long as nobody ever waited. */
  #ring: (Waiter<Grant, Request> | undefined)[] = [];
  #head = 0;
  #tail = 0;
  #size = 0;

  /**
   * `awaited` names what one waits for, in errors; or makes the name, if only errors need it. `onGivenUp` is
   * called when a waiter has lost its patience and left: it may have stood in the way of others.
   */
  constructor(clock: Clock, awaited: string | (() => string), onGivenUp?: () => void) {
    this.#clock = clock;
    this.#awaited = awaited;
    this.#onGivenUp = onGivenUp;
  }

  /** What one waits for here, in words. */
  get what(): string {
    return typeof this.#awaited === "string" ? this.#awaited : this.#awaited();
  }

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** How many wait; also those whose signal has aborted in this very turn, and who have not been told yet. */
  get size(): number {
    return this.#size;
  }

  /** The one who came first. */
  get first(): Waiter<Grant, Request> | undefined {
    while (this.#size > 0) {
      const first = this.#ring[this.#head & (this.#ring.length - 1)]!;
      if (first.signal === undefined || !first.signal.aborted) return first;
      // A signal that aborts tells one after the other, and those told before this one may lead to a grant.
      this.remove(first);
      first.refuse(first.signal.reason);
      // Not at once: whoever looks has begun something, and must not find it changed under its hands.
      if (this.#onGivenUp !== undefined) queueMicrotask(this.#onGivenUp);
    }
    return undefined;
  }

  /**
   * Waits at the end of the queue for whoever takes the waiter out. The patience must have been checked; it
   * ends the wait if it ends first, and then nobody can grant to the waiter any more. `onJoined` is for who
   * must know the waiter, to take it out again by reasons of its own.
   */
  wait(
    request: Request,
    patience?: Patience,
    onJoined?: (waiter: Waiter<Grant, Request>) => void,
  ): Promise<Grant> {
    const granted = this.join(request, patience, onJoined);
    return delivered(granted, this.#awaited, this);
  }

  /** The same, for an owner who sees to it himself when the grant arrives. */
  join(
    request: Request,
    patience?: Patience,
    onJoined?: (waiter: Waiter<Grant, Request>) => void,
  ): Promise<Grant> {
    if (patience?.timeoutMs === 0) {
      return Promise.reject(tooLate(this.#awaited, 0));
    }
    const promise = new Promise<Grant>(keepResolve);
    const waiter = new Waiter<Grant, Request>(request, patience?.signal, keptResolve);
    this.#push(waiter);
    if (patience !== undefined) {
      waiter.callOff = whenPatienceEnds(patience, this.#clock, this.#awaited, (error) => {
        // Out of the queue in the same turn: nobody can grant to it after this.
        this.remove(waiter);
        waiter.refuse(error);
        this.#onGivenUp?.();
      });
    }
    if (onJoined !== undefined) onJoined(waiter);
    return promise;
  }

  /** Takes out the one who came first. */
  shift(): Waiter<Grant, Request> | undefined {
    const waiter = this.first;
    if (waiter !== undefined) this.remove(waiter);
    return waiter;
  }

  /** Takes out all, one after the other. */
  *drain(): IterableIterator<Waiter<Grant, Request>> {
    for (let first = this.shift(); first !== undefined; first = this.shift()) yield first;
  }

  /** Takes one out; false when it was out already. */
  remove(waiter: Waiter<Grant, Request>): boolean {
    if (waiter.position === out) return false;
    const mask = this.#ring.length - 1;
    this.#ring[waiter.position & mask] = undefined;
    waiter.position = out;
    this.#size--;
    if (waiter.callOff !== undefined) waiter.callOff();
    if (this.#size > 0) {
      while (this.#ring[this.#head & mask] === undefined) this.#head = (this.#head + 1) & lastPosition;
    } else {
      this.#head = this.#tail;
    }
    if (this.#size < this.#ring.length >> 3 && this.#ring.length > leastRoom) this.#makeAnew();
    return true;
  }

  /** Those who wait, in order. */
  *[Symbol.iterator](): IterableIterator<Waiter<Grant, Request>> {
    for (let position = this.#head; position !== this.#tail; position = (position + 1) & lastPosition) {
      const waiter = this.#ring[position & (this.#ring.length - 1)];
      if (waiter !== undefined) yield waiter;
    }
  }

  #push(waiter: Waiter<Grant, Request>): void {
    if (((this.#tail - this.#head) & lastPosition) >= this.#ring.length) this.#makeAnew();
    waiter.position = this.#tail;
    this.#ring[this.#tail & (this.#ring.length - 1)] = waiter;
    this.#tail = (this.#tail + 1) & lastPosition;
    this.#size++;
  }

  /** A ring without holes, half full at most. */
  #makeAnew(): void {
    let room = leastRoom;
    while (room <= this.#size * 2) room *= 2;
    const ring = new Array<Waiter<Grant, Request> | undefined>(room).fill(undefined);
    let position = 0;
    for (const waiter of this) {
      waiter.position = position;
      ring[position++] = waiter;
    }
    this.#ring = ring;
    this.#head = 0;
    this.#tail = position;
  }
}

// One executor for all promises, instead of a function for each.
let keptResolve: (value: unknown) => void;
function keepResolve(resolve: (value: never) => void): void {
  keptResolve = resolve as (value: unknown) => void;
}
