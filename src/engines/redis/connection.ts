import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError, type Applied } from "../../base/errors.js";
import { closedError } from "../../store/watch-feed.js";
import { clientLike, databaseOf, replyWithinMs, type Client } from "./clients.js";
import type { Reply } from "./replies.js";
import type { Argument } from "./requests.js";

/** The server knows it by its hash, once it has seen the text. */
const script = readFileSync(new URL("script.lua", import.meta.url), "utf8");
const hash = createHash("sha1").update(script).digest("hex");

/** The words by which a server says that it did nothing of what was asked. */
const refusal = new RegExp(
  "\\b(READONLY|LOADING|OOM|NOAUTH|NOPERM|WRONGPASS|MOVED|ASK|CLUSTERDOWN|TRYAGAIN|CROSSSLOT|BUSY|MISCONF|" +
    "NOREPLICAS|MASTERDOWN|NOSCRIPT|unknown command)\\b",
);

/** Runs the script on the server, by one connection that comes back by itself. */
export class Connection {
  readonly client: Client;
  readonly #clock: Clock;
  /** What the script is always called with: how many keys, which, and what its channels begin with. */
  readonly #address: readonly string[];
  #lastError: unknown;
  /** One wait for the connection, whoever waits. */
  #arrival: Promise<void> | undefined;
  #arrived: ((error?: LockstepError) => void) | undefined;
  #closed = false;

  /** `onReady` is called for every new connection. */
  constructor(model: Client, address: readonly string[], clock: Clock, onReady: () => void) {
    this.client = clientLike(model);
    this.#address = address;
    this.#clock = clock;
    this.client.on("error", (error: unknown) => (this.#lastError = error));
    this.client.on("ready", () => {
      this.#lastError = undefined;
      this.#arrived?.();
      onReady();
    });
  }

  /** The first connection: one that fails is told at once, for its address may be wrong. */
  async open(): Promise<void> {
    const connected = this.client.connect();
    connected.catch(ignore);
    try {
      await Promise.race([connected, this.#arrives()]);
      await this.#select();
    } catch (cause) {
      await this.close();
      throw isLockstepError(cause) ? cause : this.#unreachable(cause);
    }
  }

  /** For ioredis says nothing when it fails, and uses the first database instead. */
  async #select(): Promise<void> {
    const database = databaseOf(this.client);
    if (database === 0) return;
    try {
      await this.client.select(database);
    } catch (cause) {
      const reason = `the database ${database} cannot be selected: ${messageOf(cause)}`;
      throw new LockstepError("bad-input", `redis: ${reason}`, { cause });
    }
  }

  /** Runs the script, once; see `failure` for what it means if that fails. */
  async run(args: readonly Argument[]): Promise<Reply> {
    if (this.client.status !== "ready") await this.#arrives();
    // As one argument, for ioredis does not like many.
    const request = [hash, ...this.#address, ...args];
    try {
      return (await this.client.callBuffer("evalsha", request)) as Reply;
    } catch (error) {
      if (!isReply(error) || !error.message.includes("NOSCRIPT")) throw error;
    }
    // A server that does not know the script has not run it.
    request[0] = script;
    return (await this.client.callBuffer("eval", request)) as Reply;
  }

  /** `ifLost` says what may have become of a request when no answer comes: a mere look changes nothing. */
  failure(cause: unknown, ifLost: Applied): LockstepError {
    if (isLockstepError(cause)) return cause;
    const message = messageOf(cause);
    // What ioredis says of a command that it did not send.
    const isUnsent = /enableOfflineQueue options is false/.test(message);
    if (isUnsent || (isReply(cause) && refusal.test(message))) return refused(message, cause);
    if (this.#closed) {
      return new LockstepError("closed", closedError().message, { cause, applied: ifLost });
    }
    const [code, fate] =
      ifLost === "no"
        ? (["unavailable", "it gave no answer"] as const)
        : (["unknown-outcome", "the change was sent, but its answer is lost"] as const);
    // Of a connection that broke, ioredis has more to say about its settings than about what happened.
    const reason = isReply(cause) ? message : "the connection broke, or said nothing for too long";
    return new LockstepError(code, `redis: ${fate}: ${reason}`, { cause, applied: ifLost });
  }

  /** Resolves when what is under way has been answered, or soon if the server is dead. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.client.status === "ready") await this.client.quit().catch(ignore);
    this.client.disconnect();
    this.#arrived?.(closedError());
  }

  #arrives(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    this.#arrival ??= new Promise((resolve, reject) => {
      const timer = this.#clock.after(replyWithinMs, () => this.#arrived?.(this.#unreachable()));
      this.#arrived = (error) => {
        timer.cancel();
        this.#arrival = undefined;
        if (error) reject(error);
        else resolve();
      };
    });
    return this.#arrival;
  }

  #unreachable(cause?: unknown): LockstepError {
    const reason = this.#lastError ?? cause;
    const fault = isReply(reason) ? "the server refuses the connection" : "the server cannot be reached";
    return new LockstepError("unavailable", `redis: ${fault}: ${messageOf(reason)}`, {
      cause: reason,
      applied: "no",
    });
  }
}

/** The server says that it did nothing of what was asked. */
export function refused(message: string, cause?: unknown): LockstepError {
  const hint = message.includes("unknown command") ? "; a sentinel is addressed with ?sentinel=MASTER" : "";
  return new LockstepError("unavailable", `redis: ${message}${hint}`, { cause, applied: "no" });
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
