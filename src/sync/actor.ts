import type { Clock } from "../base/clock.js";
import { delivered } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, whenPatienceEnds, type Patience } from "../base/patience.js";
import type { ActorArguments, ActorHandler, ActorHandlers, ActorReply } from "./actor-handlers.js";
import { ActorLetter } from "./actor-letter.js";
import { ActorMailbox } from "./actor-mailbox.js";
import { checkCapacity } from "./channel-capacity.js";
import { Event } from "./event.js";
import { deadlockWatch } from "./deadlock-watch.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";

const policies = ["resume", "restart", "stop"] as const;

export interface ActorOptions extends LockOptions {
  /** How many messages may lie in the mailbox before `tell` waits; any number unless given. */
  capacity?: number | undefined;
  /**
   * What to do when a handler throws: go on with the same state ("resume", unless told otherwise), go on with
   * a fresh state ("restart"), or stop.
   */
  onCrash?: (typeof policies)[number] | undefined;
  /**
   * Hears of what handlers throw when nobody waits for a reply to hear of it. If it throws or rejects, the
   * actor stops.
   */
  onError?: ((error: unknown, kind: string) => unknown) | undefined;
}

export interface StopOptions {
  /** Whether to handle what is in the mailbox first; true unless given. */
  drain?: boolean | undefined;
}

/**
 * State that belongs to one task, which handles one message at a time, each to its end, however often that
 * awaits: no lock is needed, and none can be forgotten. The function that is given makes the state, and
 * returns what is done with each kind of message. A handler that asks its own actor waits for itself.
 *
 * *Fairness*: messages are handled in the order in which they were sent. *Cancellation*: a message whose
 * sender gave up while it was waiting is never handled; when an asker gives up while it is being handled, the
 * handler's `signal` aborts.
 *
 * *Failure*: what a handler throws is heard by whoever asked, or else by `onError`. When nobody would hear of
 * it, the actor stops: all who deal with it then hear 'closed', with the error as its cause, and so does
 * whoever stops it. Two things are no failure that somebody must hear of: what a handler throws after its
 * asker gave up, for that one was told to, and the abort error of a handler that went along with an abort.
 */
export class Actor<Handlers extends ActorHandlers<Handlers>> {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #begin: () => Handlers;
  readonly #onCrash: (typeof policies)[number];
  readonly #onError: ActorOptions["onError"];
  readonly #mailbox: ActorMailbox;
  readonly #rest = new Event();
  #handlers: Handlers;
  #inHand: ActorLetter | undefined;
  #isStopped = false;
  #crash: { readonly error: unknown; readonly isHeard: boolean } | undefined;

  constructor(begin: () => Handlers, options: ActorOptions = {}) {
    const { what, clock } = checkLockOptions("actor", options, ["capacity", "onCrash", "onError"]);
    const { capacity = Infinity, onCrash = "resume", onError } = options;
    checkCapacity(what, capacity);
    if (!policies.includes(onCrash)) throw nonsense(`onCrash must be one of ${policies.join(", ")}`);
    if (onError !== undefined && typeof onError !== "function") throw nonsense("onError must be a function");
    if (typeof begin !== "function") {
      throw nonsense("an actor needs a function that makes its state and returns its handlers");
    }
    this.#what = what;
    this.#clock = clock;
    this.#begin = begin;
    this.#onCrash = onCrash;
    this.#onError = onError;
    this.#mailbox = new ActorMailbox(capacity);
    this.#rest.set();
    this.#handlers = this.#fresh();
  }

  /** How many messages lie in the mailbox; not the one in hand, and not those that wait for room. */
  get size(): number {
    return this.#mailbox.size;
  }

  /** Whether it takes no more messages. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Puts a message in the mailbox, or waits for room; whoever tells does not wait for it to be handled. */
  tell<Kind extends keyof Handlers & string>(
    kind: Kind,
    ...[payload, patience]: ActorArguments<Handlers[Kind]>
  ): Promise<void> {
    return this.#send(kind, payload, false, patience) as Promise<void>;
  }

  /** Sends a message and waits for the reply. The patience is for both. */
  ask<Kind extends keyof Handlers & string>(
    kind: Kind,
    ...[payload, patience]: ActorArguments<Handlers[Kind]>
  ): Promise<ActorReply<Handlers[Kind]>> {
    const reply = this.#send(kind, payload, true, patience) as Promise<ActorReply<Handlers[Kind]>>;
    return delivered(reply, () => this.#awaited(true), this);
  }

  /**
   * Takes no more messages, handles those in the mailbox, and resolves when all is done. Without draining it
   * aborts the handler's signal instead, and drops what is in the mailbox; also when it is draining already.
   * Those who still wait for room or for a reply to what was dropped hear 'closed'. A handler that awaits the
   * stop of its own actor waits for itself.
   *
   * *Failure*: rejects with 'closed' when the actor has stopped by itself, by an error that nobody heard of.
   */
  stop(options: StopOptions = {}): Promise<void> {
    try {
      checkOptions(options, ["drain"]);
      const { drain = true } = options;
      if (typeof drain !== "boolean") throw nonsense("drain must be true or false");
      this.#isStopped = true;
      this.#refuse(drain ? "outside" : "all");
      if (!drain) this.#inHand?.abort(this.#closedError());
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#stopped();
  }

  /** Stops it, and handles what is in the mailbox first. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #send(
    kind: string,
    payload: unknown,
    isQuestion: boolean,
    patience: Patience | undefined,
  ): Promise<unknown> {
    const refusal = refusalOf(patience) ?? this.#refusalOf(kind);
    if (refusal !== undefined) return refusal;
    if (patience?.timeoutMs === 0 && (isQuestion || !this.#mailbox.hasRoom)) {
      const message = `there was no time to wait for ${this.#awaited(isQuestion)}`;
      return Promise.reject(new LockstepError("timeout", message));
    }
    if (!isQuestion && this.#mailbox.hasRoom) {
      this.#mailbox.add(new ActorLetter(kind, payload, false));
      this.#wake();
      return accepted;
    }
    return new Promise((resolve, reject) => {
      const letter = new ActorLetter(kind, payload, isQuestion, { resolve, reject }, patience?.signal);
      this.#mailbox.add(letter);
      if (patience !== undefined) {
        letter.callOff = whenPatienceEnds(patience, this.#clock, this.#awaited(isQuestion), (error) => {
          // If it is in the mailbox still, nobody will handle it; if it is in hand, the handler may hear.
          this.#mailbox.remove(letter);
          letter.abort(error);
          letter.reject(error);
        });
      }
      this.#wake();
    });
  }

  #awaited(isQuestion: boolean): string {
    return isQuestion ? `a reply of ${this.#what}` : `room in the mailbox of ${this.#what}`;
  }

  #refusalOf(kind: unknown): Promise<never> | undefined {
    if (this.#isStopped) return Promise.reject(this.#closedError());
    if (this.#handlerOf(kind) !== undefined) return undefined;
    return Promise.reject(
      nonsense(`${this.#what} has no handler "${String(kind)}"; name one that its function returns`),
    );
  }

  #handlerOf(kind: unknown): ActorHandler | undefined {
    // A kind may come from afar: "toString" is not a message, unless somebody made it one.
    if (typeof kind !== "string") return undefined;
    if (kind in Object.prototype && isInAnyObject(this.#handlers, kind)) return undefined;
    const handler: unknown = this.#handlers[kind as keyof Handlers];
    return typeof handler === "function" ? (handler as ActorHandler) : undefined;
  }

  #wake(): void {
    if (!this.#rest.isSet) return;
    this.#rest.reset();
    // Not in this very step: a handler never runs inside the code that sends to it.
    const work = () => void this.#work();
    // What the sender holds is not held by the actor.
    if (deadlockWatch === undefined) queueMicrotask(work);
    else deadlockWatch.detached(() => queueMicrotask(work));
  }

  async #work(): Promise<void> {
    for (let next = this.#mailbox.shift(); next !== undefined; next = this.#mailbox.shift()) {
      this.#inHand = next;
      try {
        next.resolve(await this.#handlerOf(next.kind)!.call(this.#handlers, next.payload as never, next));
      } catch (error) {
        this.#failed(next, error);
      }
      this.#inHand = undefined;
    }
    this.#rest.set();
  }

  #failed(letter: ActorLetter, error: unknown): void {
    const isHeard = letter.isAwaited;
    letter.reject(error);
    if (letter.isAbortedBy(error)) return;
    try {
      if (!isHeard) this.#report(letter, error);
      if (this.#onCrash === "stop") this.#stopBecause(error, true);
      if (this.#onCrash === "restart" && this.#crash === undefined) this.#handlers = this.#fresh();
    } catch (furtherError) {
      this.#stopBecause(furtherError, false);
    }
  }

  #report({ kind, isQuestion }: ActorLetter, error: unknown): void {
    if (this.#onError === undefined) {
      // An asker who gave up has had an error already.
      if (!isQuestion) this.#stopBecause(error, false);
      return;
    }
    const reported: unknown = this.#onError(error, kind);
    // Nobody waits for it: it may ask this very actor for something.
    Promise.resolve(reported).catch((furtherError: unknown) => {
      this.#stopBecause(furtherError, false);
    });
  }

  #fresh(): Handlers {
    const begin = this.#begin;
    const handlers: unknown = begin();
    if (typeof handlers === "object" && handlers !== null) {
      if (!("then" in handlers)) return handlers as Handlers;
      // What becomes of it is nobody's business: it comes too late.
      Promise.resolve(handlers).catch(() => undefined);
      throw nonsense("the state of an actor is made at once; await what it needs before, and pass that in");
    }
    throw nonsense("the function that is given to an actor must return an object of handlers");
  }

  #stopBecause(error: unknown, isHeard: boolean): void {
    this.#isStopped = true;
    this.#crash ??= { error, isHeard };
    this.#refuse("all");
  }

  #refuse(which: "outside" | "all"): void {
    for (const letter of this.#mailbox.clear(which)) letter.reject(this.#closedError());
  }

  async #stopped(): Promise<void> {
    await this.#rest.wait();
    if (this.#crash?.isHeard === false) throw this.#closedError();
  }

  #closedError(): LockstepError {
    if (this.#crash === undefined) return new LockstepError("closed", `${this.#what} was stopped`);
    const { error } = this.#crash;
    return new LockstepError("closed", `${this.#what} stopped because a handler failed`, { cause: error });
  }
}

/** What each tell that need not wait returns. */
const accepted = Promise.resolve();

function nonsense(message: string): LockstepError {
  return new LockstepError("bad-input", message);
}

/** Whether the name is one that every object inherits, and nobody has given it another meaning here. */
function isInAnyObject(handlers: object, name: string): boolean {
  if (Object.hasOwn(handlers, name)) return false;
  // Every class has a constructor, which handles nothing.
  if (name === "constructor") return true;
  let owner = Object.getPrototypeOf(handlers) as object | null;
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as object | null;
  // Not by identity with Object.prototype: what another realm has made inherits from that of its own.
  return owner === null || Object.getPrototypeOf(owner) === null;
}
