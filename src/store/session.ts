import type { Clock, Timer } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";

/** A lease on life: while it is valid, the keys bound to it are surely there. */
export interface Session {
  readonly id: string;
  readonly ttlMs: number;
  /** The reading of the clock up to which the session is surely alive, unless renewed. */
  readonly validUntil: number;
  /**
   * Whether it is surely alive at this very moment; looks at the clock, so it is right even after a freeze.
   */
  isValid(): boolean;
  /**
   * Calls back once, when the session is lost or ended; at once if it was. Returns a way to call that off.
   */
  onEnd(callback: (reason: SessionEnd) => void): () => void;
  /**
   * Ends it: its keys vanish. Resolves also when the store cannot be told, once the keys are due to expire.
   */
  end(): Promise<void>;
}

export type SessionEnd = "ended" | "lost";

/** What an engine does for a session; all the rest is one rule for all engines. */
export interface SessionLink {
  /** Asks the store for another `ttlMs`; false when the store no longer knows the session. */
  renew(): Promise<boolean>;
  /** Tells the store that the session is over. */
  end(): Promise<void>;
}

/**
 * The rule of validity: a session is valid until the moment *before* its last acknowledged renewal was sent,
 * plus its time to live, minus a margin. The store began to count at the earliest when the renewal was sent,
 * so the session is over here before it is over there, though no reply ever comes.
 *
 * The clock is read at each question, so a frozen process cannot think itself alive when it wakes, whichever
 * of its callbacks runs first. And once over it stays over: a renewal that a freeze delayed is never sent,
 * since the turn that would send it asks first.
 */
export class KeptSession implements Session {
  readonly id: string;
  readonly ttlMs: number;
  readonly #link: SessionLink;
  readonly #clock: Clock;
  readonly #listeners = new Set<(reason: SessionEnd) => void>();
  #validUntil: number;
  #end: SessionEnd | undefined;
  #ending: Promise<void> | undefined;
  #renewTimer: Timer | undefined;
  #deadlineTimer: Timer | undefined;

  /** `askedAt` is the reading of the clock before the store was asked to open the session. */
  constructor(id: string, ttlMs: number, askedAt: number, link: SessionLink, clock: Clock) {
    this.id = id;
    this.ttlMs = ttlMs;
    this.#link = link;
    this.#clock = clock;
    this.#validUntil = askedAt + ttlMs - marginMs(ttlMs);
    this.#armDeadline();
    this.#renewIn(ttlMs / 3);
  }

  get validUntil(): number {
    return this.#validUntil;
  }

  isValid(): boolean {
    if (this.#end === undefined && this.#clock.now() >= this.#validUntil) this.#over("lost");
    return this.#end === undefined;
  }

  onEnd(callback: (reason: SessionEnd) => void): () => void {
    if (this.#end !== undefined) {
      callback(this.#end);
      return () => {
        // Told already.
      };
    }
    // A set of fresh closures: one callback given twice is called twice.
    const listener = (reason: SessionEnd) => {
      callback(reason);
    };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  end(): Promise<void> {
    // One end for all who ask: a second call must not resolve while the keys are still there.
    this.#ending ??= this.#tellEnd();
    return this.#ending;
  }

  /** For the engine: the store says that the session is gone. */
  lose(): void {
    this.#over("lost");
  }

  async #tellEnd(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#over("ended");
    try {
      await this.#link.end();
    } catch {
      // The store cannot be told. It forgets the session by itself, but counts from the last renewal that
      // reached it: maybe one whose reply was lost just now, so not even `validUntil` says when at the
      // latest.
      await new Promise<void>((resolve) => this.#clock.after(this.ttlMs, resolve));
    }
  }

  async #renew(): Promise<void> {
    if (!this.isValid()) return;
    const askedAt = this.#clock.now();
    try {
      const known = await this.#link.renew();
      if (!known) {
        this.#over("lost");
        return;
      }
      // The reply may be so late that the session was over before it came.
      if (!this.isValid()) return;
      this.#validUntil = Math.max(this.#validUntil, askedAt + this.ttlMs - marginMs(this.ttlMs));
      this.#armDeadline();
      this.#renewIn(askedAt + this.ttlMs / 3 - this.#clock.now());
    } catch {
      // An unreachable store is asked again, soon, until the deadline ends it all.
      if (this.isValid()) this.#renewIn(this.ttlMs / 10);
    }
  }

  #renewIn(delayMs: number): void {
    this.#renewTimer = this.#clock.after(delayMs, () => void this.#renew(), "background");
  }

  #armDeadline(): void {
    this.#deadlineTimer?.cancel();
    this.#deadlineTimer = this.#clock.after(
      this.#validUntil - this.#clock.now(),
      () => {
        // A timer may be early by a rounding; then the deadline is still ahead, and is waited for again.
        if (this.isValid()) this.#armDeadline();
      },
      "background",
    );
  }

  #over(reason: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#renewTimer?.cancel();
    this.#deadlineTimer?.cancel();
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
  }
}

/** Kept in hand for the time between the deadline and the holder's hearing of it. */
export function marginMs(ttlMs: number): number {
  return Math.min(ttlMs / 10, 500);
}

/** The error of whoever relied on a session that is over; where it is known how it ended, it says so. */
export function lostError(what: string, how?: SessionEnd): LockstepError {
  const reasons = {
    ended: "its session was ended, as when the client is closed",
    lost: "its session was not renewed in time, as when the process was frozen or the store away",
  };
  return new LockstepError("lost", `${what} is lost: ${how ? reasons[how] : "its session is over"}`);
}
