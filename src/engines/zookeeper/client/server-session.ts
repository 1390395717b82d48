import { isLockstepError, LockstepError } from "../../../base/errors.js";
import { closedError } from "../../../store/watch-feed.js";
import type { Ensemble } from "./ensemble.js";
import { awayError, Wire } from "./wire.js";

/**
 * So long a call waits for a connection: a server that is started again, or a new leader, is there by then.
 */
const patienceMs = 5000;
/** How often it is looked whether the server is there: a tenth of the session, within these bounds. */
const shortestBeatMs = 500;
const longestBeatMs = 2000;

export interface ServerSessionOptions {
  readonly timeoutMs: number;
  /**
   * Whether it is kept when a connection breaks, and not renewed by anything but requests. Else each
   * connection has a session of its own, which nobody needs, and pings.
   */
  readonly isKept: boolean;
  readonly onEvent?: (path: string) => void;
  /** Connected anew: what was watched is watched no more. */
  readonly onConnect?: () => void;
  /** The server forgot the session; it does not come back. */
  readonly onExpired?: () => void;
}

interface Waiting {
  readonly resolve: (wire: Wire) => void;
  readonly reject: (error: unknown) => void;
}

/** A session of ZooKeeper: one connection at a time, made anew whenever it breaks. */
export class ServerSession {
  readonly #ensemble: Ensemble;
  readonly #options: ServerSessionOptions;
  readonly #waiting = new Set<Waiting>();
  #wire: Wire | undefined;
  /** Its last connection, for what must be known of it. */
  #last: Wire | undefined;
  #over: LockstepError | undefined;
  #lastFault: unknown;
  #wakeUp: (() => void) | undefined;

  constructor(ensemble: Ensemble, options: ServerSessionOptions) {
    this.#ensemble = ensemble;
    this.#options = options;
    void this.#connect();
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** The connection; at once where there is one. Rejects with 'unavailable' when none comes about in time. */
  ready(): Wire | Promise<Wire> {
    if (this.#wire) return this.#wire;
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiting.delete(waiting);
        late.cancel();
      };
      const waiting: Waiting = {
        resolve: (wire) => {
          settle();
          resolve(wire);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const late = this.#ensemble.clock.after(patienceMs, () => {
        waiting.reject(awayError(this.#lastFault ?? new Error(`not within ${patienceMs} ms`)));
      });
      this.#waiting.add(waiting);
    });
  }

  /** For what may be asked twice: asks once more, on the next connection, if this one breaks. */
  async ask<T>(question: (wire: Wire) => Promise<T>): Promise<T> {
    const wire = await this.ready();
    try {
      return await question(wire);
    } catch (error) {
      if (!wire.isClosed || !isLockstepError(error, "unavailable")) throw error;
      return question(await this.ready());
    }
  }

  /** Ends the session at the server, so that its nodes vanish; rejects when the server cannot be told. */
  async end(): Promise<void> {
    const wire = await this.ready();
    // From here on nothing more is sent in its name.
    this.#finish(closedError());
    await wire.leave();
  }

  /** Ends it, if the server is there to be told; else it expires by itself. Never fails. */
  async close(): Promise<void> {
    try {
      if (this.#wire) await this.end();
    } catch {
      // Told, or not: it matters to nobody.
    }
    this.abandon();
  }

  /** Lets go of it at once. The server is not told. */
  abandon(): void {
    this.#finish(closedError());
    this.#last?.destroy();
  }

  async #connect(): Promise<void> {
    for (let failures = 0; !this.#over;) {
      try {
        const wire = await this.#open(failures);
        this.#ensemble.prefer(failures);
        this.#enter(wire);
        return;
      } catch (cause) {
        this.#lastFault = cause;
        failures++;
      }
      await this.#pause(this.#ensemble.pauseMs(failures));
    }
  }

  #open(failures: number): Promise<Wire> {
    const { tls, credentials, clock } = this.#ensemble;
    const { timeoutMs, isKept, onEvent } = this.#options;
    const last = this.#last;
    const greeting = {
      tls,
      credentials,
      timeoutMs,
      // Whoever has seen something must not be shown what was before it.
      zxidSeen: last?.zxidSeen ?? 0n,
      sessionId: isKept && last ? last.sessionId : 0n,
      password: isKept && last ? last.password : new Uint8Array(16),
    };
    return Wire.open(this.#ensemble.endpoint(failures), greeting, clock, {
      onEvent: (path) => onEvent?.(path),
      onClose: () => {
        this.#wire = undefined;
        if (!this.#over) void this.#connect();
      },
    });
  }

  #enter(wire: Wire): void {
    if (wire.isClosed) return;
    if (this.#over) {
      wire.destroy();
      return;
    }
    if (wire.sessionId === 0n) {
      this.#finish(new LockstepError("lost", "zookeeper: the server has ended the session"));
      wire.destroy();
      this.#options.onExpired?.();
      return;
    }
    const { timeoutMs } = wire;
    this.#wire = wire;
    this.#last = wire;
    wire.beat(Math.max(shortestBeatMs, Math.min(longestBeatMs, timeoutMs / 10)), !this.#options.isKept);
    this.#options.onConnect?.();
    for (const { resolve } of [...this.#waiting]) resolve(wire);
  }

  #finish(error: LockstepError): void {
    this.#over ??= error;
    this.#wire = undefined;
    this.#wakeUp?.();
    for (const { reject } of [...this.#waiting]) reject(this.#over);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ensemble.clock.after(ms, resolve);
      this.#wakeUp = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
