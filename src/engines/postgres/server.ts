import type { Pool, PoolClient, QueryArrayConfig, QueryArrayResult } from "pg";
import type { Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { closedError } from "../../store/watch-feed.js";
import type { Call } from "./wire.js";

/** A server that is there takes milliseconds; one that does not answer for so long is taken for dead. */
const patienceMs = 5000;
/**
 * A longer request goes as one message. In several, as those of a prepared statement are, a client that froze
 * between two of them would keep the lock of all commits.
 */
const longestPrepared = 16 * 1024;
/**
 * Plans are made once and for all, by index, whatever the tables held when they were made. Bitmaps would
 * never find out which entries of an index are dead.
 */
const settings = [
  "enable_seqscan = off",
  "enable_bitmapscan = off",
  "jit = off",
  "plan_cache_mode = force_generic_plan",
  "lock_timeout = '4s'",
];

/** The functions of a namespace, called over one connection, which is made when it is needed. */
export class Server {
  readonly schema: string;
  /** What a connection is told before anything else; or each transaction, where it is not ours alone. */
  readonly #preamble: string;
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #isDirect: boolean;
  #connection: PoolClient | undefined;
  #isBusy = false;
  #isClosed = false;

  /** `isDirect`: a connection is ours alone, and keeps what it was told. */
  constructor(pool: Pool, clock: Clock, schema: string, isDirect: boolean) {
    this.#pool = pool;
    this.#clock = clock;
    this.schema = schema;
    this.#isDirect = isDirect;
    const set = isDirect ? "set" : "set local";
    this.#preamble = [`search_path = ${quoted(schema)}`, ...settings]
      .map((each) => `${set} ${each}`)
      .join(";");
  }

  /**
   * Calls a function; one call at a time.
   *
   * *Failure*: 'unavailable' where it surely did nothing, 'unknown-outcome' where that is not known.
   */
  async call(call: Call): Promise<unknown> {
    const connection = this.#connection ?? (await this.#connect());
    this.#isBusy = true;
    try {
      const text = await this.#query(connection, call);
      return text === null ? null : JSON.parse(text);
    } catch (cause) {
      const isRefused = wasRefused(cause);
      if (!isRefused) this.#release();
      throw isRefused || call.name === "read" ? unavailable(cause) : unknownOutcome(cause);
    } finally {
      this.#isBusy = false;
      if (this.#isClosed) this.#release();
    }
  }

  /** Lets go of the connection, as soon as nothing is under way on it. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isBusy) this.#release();
  }

  /** A connection of one's own. Nobody else shall have it with our settings, so it is released for good. */
  async hold(): Promise<PoolClient> {
    const connecting = this.#pool.connect();
    try {
      const connection = await within(this.#clock, connecting);
      // While nobody listens for its errors, a connection that breaks would end the process.
      connection.on("error", ignore);
      if (this.#isDirect) await within(this.#clock, connection.query(this.#preamble));
      return connection;
    } catch (cause) {
      // It may be had yet, when nobody wants it any more.
      connecting.then((connection) => {
        connection.release(true);
      }, ignore);
      throw unavailable(cause);
    }
  }

  async #connect(): Promise<PoolClient> {
    const connection = await this.hold();
    const onLost = () => {
      if (connection === this.#connection) this.#release();
    };
    connection.on("error", onLost);
    connection.on("end", onLost);
    this.#connection = connection;
    if (!this.#isClosed) return connection;
    this.#release();
    throw closedError();
  }

  #release(): void {
    this.#connection?.release(true);
    this.#connection = undefined;
  }

  #query(connection: PoolClient, { name, args }: Call): Promise<string | null> {
    const isShort = args.reduce((sum, arg) => sum + (arg?.length ?? 0), 0) <= longestPrepared;
    if (this.#isDirect && isShort) {
      const text = prepared[name];
      return this.#answerTo(connection, { name: text, text, values: [...args], rowMode });
    }
    const literals = args.map((arg) => (arg === null ? "null" : connection.escapeLiteral(arg)));
    const text = `select ${name}(${literals.join()})`;
    return this.#answerTo(connection, { text: this.#isDirect ? text : `${this.#preamble};${text}`, rowMode });
  }

  #answerTo(connection: PoolClient, query: QueryArrayConfig): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(patienceMs, () => {
        reject(tooLate());
      });
      connection.query(query, (error: Error | null, results: QueryArrayResult | QueryArrayResult[]) => {
        timer.cancel();
        if (error) reject(error);
        else resolve(valueIn(results));
      });
    });
  }
}

const rowMode = "array" as const;
/** Statements that are prepared once for each connection, under their own text. */
const prepared = {
  transact: "select transact($1,$2)",
  read: "select read($1)",
  take: "select take($1,$2,$3,$4,$5)",
  give: "select give($1,$2,$3)",
};

/** What is awaited for so long and no longer. */
export function within<T>(clock: Clock, awaited: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(patienceMs, () => {
      reject(tooLate());
    });
    void awaited.then(resolve, reject).then(() => {
      timer.cancel();
    });
  });
}

/** Of several statements, the last one's. */
function valueIn(results: QueryArrayResult | QueryArrayResult[]): string | null {
  const result = Array.isArray(results) ? results.at(-1) : results;
  return (result?.rows[0] as [string | null])[0];
}

function tooLate(): Error {
  return new Error(`the server has not answered for ${patienceMs} ms`);
}

/** As an identifier in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
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
