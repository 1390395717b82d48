import type { Clock } from "../../base/clock.js";
import { LockstepError, type Applied } from "../../base/errors.js";
import { closedError } from "../../store/watch-feed.js";
import { clientLike, replyWithinMs, type Client } from "./clients.js";
import type { Reply } from "./replies.js";
import type { Argument } from "./requests.js";
import type { Script } from "./script.js";

/** Errors by which a server says that it did nothing: as seen by whom, and what a script may be refused. */
const refusal = new RegExp(
  "\\b(READONLY|LOADING|OOM|NOAUTH|NOPERM|WRONGPASS|MOVED|ASK|CLUSTERDOWN|TRYAGAIN|CROSSSLOT|BUSY|MISCONF|" +
    "NOREPLICAS|MASTERDOWN|NOSCRIPT)\\b",
);

/** Runs scripts on the server, by one connection that comes back by itself. */
export class Connection {
  readonly client: Client;
  readonly #clock: Clock;
  readonly #keys: readonly string[];
  #lastError: unknown;
  /** One wait for the connection, whoever waits. */
  #arrival: Promise<void> | undefined;
  #closed = false;

  /** `onReady` is called for every new connection. */
  constructor(model: Client, keys: readonly string[], clock: Clock, onReady: () => void) {
    this.client = clientLike(model);
    this.#keys = keys;
    this.#clock = clock;
    this.client.on("error", (error: unknown) => (this.#lastError = error));
    this.client.on("ready", onReady);
  }

  /** The first connection: one that fails is told at once, for its address may be wrong. */
  async open(): Promise<void> {
    const connected = this.client.connect();
    connected.catch(ignore);
    try {
      await Promise.race([connected, this.#arrives()]);
    } catch (cause) {
      await this.close();
      throw this.#unreachable(cause);
    }
  }

  /**
   * Runs a script, once. `ifLost` says what may have become of it when no answer comes: a mere look changes
   * nothing.
   */
  async run(script: Script, args: readonly Argument[], ifLost: Applied): Promise<Reply> {
    if (this.client.status !== "ready") await this.#arrives();
    const request = [this.#keys.length, ...this.#keys, ...args] as const;
    try {
      return (await this.client.callBuffer("evalsha", script.hash, ...request)) as Reply;
    } catch (error) {
      if (!isReply(error) || !error.message.includes("NOSCRIPT")) throw this.#failure(error, ifLost);
    }
    // A server that does not know the script has not run it.
    try {
      return (await this.client.callBuffer("eval", script.text, ...request)) as Reply;
    } catch (error) {
      throw this.#failure(error, ifLost);
    }
  }

  /** Resolves when what is under way has been answered, or soon if the server is dead. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.client.status === "ready") await this.client.quit().catch(ignore);
    this.client.disconnect();
    this.client.emit("lockstep:closed");
  }

  #arrives(): Promise<void> {
    this.#arrival ??= this.#wait().finally(() => (this.#arrival = undefined));
    return this.#arrival;
  }

  #wait(): Promise<void> {
    const client = this.client;
    return new Promise((resolve, reject) => {
      const events = ["ready", "lockstep:closed"] as const;
      const over = () => {
        timer.cancel();
        for (const event of events) client.off(event, arrived);
      };
      const arrived = () => {
        over();
        if (this.#closed) reject(closedError());
        else resolve();
      };
      const timer = this.#clock.after(replyWithinMs, () => {
        over();
        reject(this.#unreachable(this.#lastError));
      });
      for (const event of events) client.on(event, arrived);
    });
  }

  #unreachable(cause: unknown): LockstepError {
    const reason = this.#lastError ?? cause;
    return new LockstepError("unavailable", `redis: the server cannot be reached: ${messageOf(reason)}`, {
      cause: reason,
      applied: "no",
    });
  }

  #failure(cause: unknown, ifLost: Applied): LockstepError {
    const message = messageOf(cause);
    // What ioredis says of a command that it did not send.
    const isUnsent = /enableOfflineQueue options is false/.test(message);
    if (isUnsent || (isReply(cause) && refusal.test(message))) {
      return new LockstepError("unavailable", `redis: ${message}`, { cause, applied: "no" });
    }
    if (this.#closed) {
      return new LockstepError("closed", closedError().message, { cause, applied: ifLost });
    }
    if (ifLost === "no") {
      return new LockstepError("unavailable", `redis: no answer: ${message}`, { cause, applied: "no" });
    }
    return new LockstepError(
      "unknown-outcome",
      `redis: the change was sent, but its answer is lost: ${message}`,
      {
        cause,
        applied: "maybe",
      },
    );
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "it does not answer";
  // Of several addresses that all failed, Node gives an error without a message of its own.
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

function ignore(): void {
  // Told by other ways.
}
