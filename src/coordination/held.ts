import { LockstepError } from "../base/errors.js";
import { lostError, type SessionEnd } from "../store/session.js";
import type { QueuePlace } from "./queue-place.js";

export type HeldEnd = "released" | "lost";

/**
 * What one holds: proof that it was granted, and a watch over whether it still is.
 *
 * *Failure*: it is lost when its session could not be renewed in time, as when the process was frozen or the
 * store away. Then `signal` aborts by this process's own clock, before anyone else can be granted the same,
 * and `assertHeld()` throws. Whatever stores the result of the work should refuse a token lower than it has
 * seen.
 */
export class Held {
  /** The name of the lock or election. */
  readonly name: string;
  /** The same in words, for errors. */
  readonly #what: string;
  readonly #place: QueuePlace;
  readonly #onEnd: (how: HeldEnd) => Promise<void> | void;
  readonly #unlisten: () => void;
  #end: HeldEnd | undefined;
  #sessionEnd: SessionEnd | undefined;
  #abort: AbortController | undefined;

  /** @internal */
  constructor(name: string, what: string, place: QueuePlace, onEnd: (how: HeldEnd) => Promise<void> | void) {
    this.name = name;
    this.#what = what;
    this.#place = place;
    this.#onEnd = onEnd;
    this.#unlisten = place.session.onEnd((how) => {
      this.#lose(how);
    });
  }

  /** The fencing token: rises strictly with each grant of the same name. */
  get token(): bigint {
    return this.#place.token;
  }

  /** Aborted the moment it may be lost; never by a release. */
  get signal(): AbortSignal {
    // Made when asked for: it costs more than the rest of the guard, and many sections are short.
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#end === "lost") this.#abort.abort(this.#lost());
    }
    return this.#abort.signal;
  }

  /** Whether it is held at this very moment; reads the clock, so it is right even just after a freeze. */
  get isHeld(): boolean {
    return this.#end === undefined && this.#place.session.isValid();
  }

  /** Throws 'lost' unless it is held at this very moment. */
  assertHeld(): void {
    if (this.isHeld) return;
    if (this.#end === "released") throw new LockstepError("lost", `${this.#what} was released`);
    throw this.#lost();
  }

  /**
   * Gives it up; resolves when others can have it.
   *
   * *Failure*: throws 'lost' when it was lost before, so that whoever gets past this line held it to the end,
   * and 'misuse' when it was released before. A store that cannot be told is waited for, at most until the
   * session is over, when it is released all the same.
   */
  async release(): Promise<void> {
    if (this.#end === "released") {
      throw new LockstepError("misuse", `${this.#what} was released already; release it once`);
    }
    this.assertHeld();
    await this.#release();
  }

  /** @internal The same for the end of a section, which may have released it before. */
  async finish(): Promise<void> {
    if (this.#end !== "released") await this.release();
  }

  /** Releases what is still held; quiet when it was released or lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isHeld) await this.#release();
  }

  #lost(): LockstepError {
    return lostError(this.#what, this.#sessionEnd);
  }

  async #release(): Promise<void> {
    this.#end = "released";
    this.#unlisten();
    await this.#onEnd("released");
  }

  #lose(how: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = "lost";
    this.#sessionEnd = how;
    this.#abort?.abort(this.#lost());
    void this.#onEnd("lost");
  }
}
