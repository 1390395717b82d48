import type { Pool, PoolClient, QueryArrayResult } from "pg";
import type { Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { closedError } from "../../store/watch-feed.js";

/** A server that is there takes milliseconds; one that does not answer for so long is taken for dead. */
export const patienceMs = 5000;
/**
 * A longer request goes as one message. In several, as those of a prepared statement are, a client that froze
 * between two of them would keep the lock of all commits.
 */
const longestPrepared = 16 * 1024;

/** The functions of a namespace, called over one connection, which is made when it is needed. */
export class Server {
  readonly schema: string;
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #prepares: boolean;
  #connection: PoolClient | undefined;
  #isBusy = false;
  #isClosed = false;
  readonly #onLost = () => {
    this.#release(true);
  };

  constructor(pool: Pool, clock: Clock, schema: string, prepares: boolean) {
    this.#pool = pool;
    this.#clock = clock;
    this.schema = schema;
    this.#prepares = prepares;
  }

  /**
   * Calls `transact` or `read` with a list; one call at a time.
   *
   * *Failure*: 'unavailable' where it surely did nothing, 'unknown-outcome' where that is not known.
   */
  async call(name: "transact" | "read", list: readonly unknown[]): Promise<unknown> {
    const connection = this.#connection ?? (await this.#connect());
    this.#isBusy = true;
    try {
      return answerOf(await this.within(this.#query(connection, name, JSON.stringify(list))));
    } catch (cause) {
      const isRefused = wasRefused(cause);
      if (!isRefused) this.#release(true);
      throw isRefused || name === "read" ? unavailable(cause) : unknownOutcome(cause);
    } finally {
      this.#isBusy = false;
      if (this.#isClosed) this.#release();
    }
  }

  /** Gives the connection back, as soon as nothing is under way on it. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isBusy) this.#release();
  }

  /** A connection of one's own; to be released. */
  async hold(): Promise<PoolClient> {
    const connecting = this.#pool.connect();
    try {
      return await this.within(connecting);
    } catch (cause) {
      // It may be had yet, when nobody wants it any more.
      connecting.then((client) => {
        client.release();
      }, ignore);
      throw unavailable(cause);
    }
  }

  async #connect(): Promise<PoolClient> {
    const connection = await this.hold();
    if (this.#isClosed) {
      connection.release();
      throw closedError();
    }
    connection.on("error", this.#onLost);
    connection.on("end", this.#onLost);
    this.#connection = connection;
    return connection;
  }

  #release(broken = false): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.off("error", this.#onLost);
    connection.off("end", this.#onLost);
    if (broken) silence(connection);
    connection.release(broken);
  }

  #query(connection: PoolClient, name: string, text: string): Promise<QueryArrayResult> {
    const call = `select ${quoted(this.schema)}.${name}(`;
    return this.#prepares && text.length <= longestPrepared
      ? connection.query({
          name: `lockstep ${this.schema} ${name}`,
          text: `${call}$1)`,
          values: [text],
          rowMode,
        })
      : connection.query({ text: `${call}${connection.escapeLiteral(text)})`, rowMode });
  }

  /** What is awaited for so long and no longer. */
  async within<T>(awaited: Promise<T>): Promise<T> {
    let stop = ignore;
    const tooLate = new Promise<never>((_, reject) => {
      const timer = this.#clock.after(patienceMs, () => {
        reject(new Error(`the server has not answered for ${patienceMs} ms`));
      });
      stop = () => {
        timer.cancel();
      };
    });
    try {
      return await Promise.race([awaited, tooLate]);
    } finally {
      stop();
      awaited.catch(ignore);
    }
  }
}

const rowMode = "array";

function answerOf({ rows }: QueryArrayResult): unknown {
  const [text] = rows[0] as [string | null];
  return text === null ? null : JSON.parse(text);
}

/** As an identifier in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** While nobody listens for its errors, a connection that breaks would end the process. */
export function silence(client: PoolClient): () => void {
  client.on("error", ignore);
  return () => {
    client.off("error", ignore);
  };
}

/**
 * Whether the server has said that it did nothing. It has not where it says that it ends (57P), cannot write
 * or flush (53, 58), or is at a loss (XX): that may come after the commit.
 */
function wasRefused(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57P|58|XX)/.test(code);
}

export function unavailable(cause: unknown): LockstepError {
  if (isLockstepError(cause)) return cause;
  return new LockstepError("unavailable", `postgres: ${messageOf(cause)}`, { cause });
}

function unknownOutcome(cause: unknown): LockstepError {
  return new LockstepError(
    "unknown-outcome",
    `postgres: the server did not say whether the change was made: ${messageOf(cause)}`,
    { cause, applied: "maybe" },
  );
}

function messageOf(cause: unknown): string {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  if (code === "25006") return "the server is a standby, or set to be read-only";
  return typeof message === "string" && message !== "" ? message : String(code ?? cause);
}

function ignore(): void {
  // Told to somebody else already.
}
