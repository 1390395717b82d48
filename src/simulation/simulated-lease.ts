import type { Clock, Timer } from "../base/clock.js";
import type { Session } from "../store/session.js";

/**
 * What a store knows of a session, on the far side of a simulated network: it is over when no renewal has
 * come for a time to live. The real session beneath is renewed by its engine, whatever the network does,
 * until it is ended here.
 */
export class SimulatedLease {
  readonly #session: Session;
  readonly #clock: Clock;
  #expiry: Timer | undefined;

  constructor(session: Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    session.onEnd(() => this.#expiry?.cancel());
    this.renew();
  }

  get id(): string {
    return this.#session.id;
  }

  /** False when it is over. */
  renew(): boolean {
    if (!this.#session.isValid()) return false;
    this.#expiry?.cancel();
    this.#expiry = this.#clock.after(this.#session.ttlMs, () => void this.end(), "background");
    return true;
  }

  end(): Promise<void> {
    return this.#session.end();
  }

  onEnd(callback: () => void): void {
    this.#session.onEnd(callback);
  }
}
