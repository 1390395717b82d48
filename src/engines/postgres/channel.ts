import type { PoolClient } from "pg";
import type { Clock, Timer } from "../../base/clock.js";
import { SeededRandom } from "../../base/random.js";
import { within, type Server } from "./server.js";
import type { Told } from "./wire.js";

/** The connection shows that it lives, and the client that it listens, so often. */
const pulseMs = 1000;
const soonestPulseMs = 10;
/** Tries to come back begin so close to each other, and are never further apart than that. */
const firstRetryMs = 50;
const longestRetryMs = 3000;

export interface ChannelEvents {
  readonly onTold: (told: Told) => void;
  /** The connection was away, or the server has forgotten us: what was told in between was lost. */
  readonly onGap: () => Promise<void>;
  /** Something expires about now. */
  readonly onDue: () => void;
}

/** The one connection on which a client hears of changes. Once open, it comes back by itself. */
export class Channel {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #client: string;
  readonly #events: ChannelEvents;
  readonly #random: SeededRandom;
  #connection: PoolClient | undefined;
  #opening: Promise<void> | undefined;
  #isReturning = false;
  #isClosed = false;
  #pulse: Timer | undefined;

  constructor(server: Server, clock: Clock, client: string, events: ChannelEvents) {
    this.#server = server;
    this.#clock = clock;
    this.#client = client;
    this.#events = events;
    this.#random = new SeededRandom(parseInt(client.slice(0, 8), 16));
  }

  /** Resolves when what is told from now on is heard; or, while it tries to come back, at once. */
  async open(): Promise<void> {
    if (this.#isReturning) return;
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    await this.#opening;
  }

  /** Sees to it that the connection is there, and that what expires is noticed in time. */
  pulseIn(delayMs: number): void {
    if (this.#isClosed || this.#connection === undefined) return;
    this.#pulse?.cancel();
    const wait = Math.min(Math.max(delayMs, soonestPulseMs), pulseMs);
    this.#pulse = this.#clock.after(wait, () => void this.#beat(this.#connection));
  }

  /** Nobody waits for anything: until the next `pulseIn` the server may forget us. */
  rest(): void {
    this.#pulse?.cancel();
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  async #connect(): Promise<void> {
    const connection = await this.#server.hold();
    const onLost = () => {
      this.#lose(connection);
    };
    connection.on("error", onLost);
    connection.on("end", onLost);
    connection.on("notification", ({ payload }) => {
      if (connection === this.#connection && payload) this.#events.onTold(JSON.parse(payload) as Told);
    });
    try {
      await within(this.#clock, connection.query(`listen "lockstep_${this.#client}"`));
    } catch (error) {
      connection.release(true);
      throw error;
    }
    this.#connection = connection;
    if (this.#isClosed) this.#release();
  }

  async #beat(connection: PoolClient | undefined): Promise<void> {
    if (connection === undefined) return;
    const text = `select pulse('${this.#client}')`;
    try {
      const { rows } = await within(this.#clock, connection.query({ text, rowMode: "array" }));
      const [dueInMs] = rows[0] as [number | null];
      if (connection !== this.#connection) return;
      if (dueInMs === null) await this.#events.onGap();
      else if (dueInMs <= 0) this.#events.onDue();
      this.pulseIn(dueInMs ?? pulseMs);
    } catch {
      this.#lose(connection);
    }
  }

  #lose(connection: PoolClient): void {
    if (connection !== this.#connection) return;
    this.#release();
    if (!this.#isClosed) void this.#return();
  }

  async #return(): Promise<void> {
    this.#isReturning = true;
    for (let retryMs = firstRetryMs; !this.#isClosed; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
      // Spread, so that not all clients of a server come back to it at once.
      const wait = retryMs * (0.5 + this.#random.next());
      await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
      try {
        await this.#connect();
        await this.#events.onGap();
        break;
      } catch {
        this.#release();
      }
    }
    this.#isReturning = false;
    this.pulseIn(0);
  }

  #release(): void {
    this.#pulse?.cancel();
    this.#connection?.release(true);
    this.#connection = undefined;
  }
}
