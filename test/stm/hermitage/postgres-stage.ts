import type { Isolation } from "lockstep/stm";
import pg from "pg";
import { Aborted, type Stage, type Transaction } from "./play.js";
import type { Rows, Step } from "./script.js";

/** As many as a script has at most. */
const transactions = 3;

/** Plays scripts on Postgres, one after the other: a connection for each transaction, and one to watch. */
export class PostgresStage implements Stage {
  readonly #watcher: pg.Client;
  readonly #connections: readonly Connection[];
  #free: Connection[] = [];
  #isolation: Isolation = "serializable";

  private constructor(clients: readonly pg.Client[]) {
    [this.#watcher] = clients as [pg.Client];
    this.#connections = clients.slice(1).map((client) => new Connection(client));
  }

  static async open(connectionString: string): Promise<PostgresStage> {
    const clients = Array.from({ length: 1 + transactions }, () => new pg.Client({ connectionString }));
    await Promise.all(clients.map((client) => client.connect()));
    const stage = new PostgresStage(clients);
    await Promise.all(stage.#connections.map((connection) => connection.identify()));
    await stage.#watcher.query("create table test (id int primary key, value int)");
    return stage;
  }

  /** Puts the two rows back that every script begins with. */
  async reset(isolation: Isolation): Promise<this> {
    this.#isolation = isolation;
    this.#free = [...this.#connections];
    await this.#watcher.query("truncate test; insert into test values (1, 10), (2, 20)");
    return this;
  }

  begin(readOnly: boolean): Transaction {
    const connection = this.#free.shift()!;
    connection.mode = `isolation level ${this.#isolation.replace("-", " ")}${readOnly ? " read only" : ""}`;
    return connection;
  }

  /** Asks the server who waits for whom until all who are busy wait, and not for each other in a circle. */
  async settled(busy: () => readonly Transaction[]): Promise<void> {
    const pids = () => this.#connections.filter((one) => busy().includes(one)).map(({ pid }) => pid);
    for (let asked = pids(); asked.length > 0; asked = pids()) {
      const text = "select pid, pg_blocking_pids(pid) as blockers from unnest($1::int[]) as pid";
      const { rows } = await this.#watcher.query<Blocked>(text, [asked]);
      // An answer may have come while we asked.
      if (pids().length === asked.length && allWait(rows)) return;
    }
  }

  async rows(): Promise<Rows> {
    return rowsOf(await this.#watcher.query<Row>("select * from test"));
  }

  async close(): Promise<void> {
    await Promise.all([this.#watcher.end(), ...this.#connections.map((connection) => connection.end())]);
  }
}

interface Row {
  readonly id: number;
  readonly value: number;
}
interface Blocked {
  readonly pid: number;
  readonly blockers: readonly number[];
}

/** The server ended a transaction: it could not be serialized, or was part of a deadlock. */
const conflicts = ["40001", "40P01"];

class Connection implements Transaction {
  readonly #client: pg.Client;
  pid = 0;
  /** What its transaction begins with. */
  mode = "";

  constructor(client: pg.Client) {
    this.#client = client;
  }

  async identify(): Promise<void> {
    const { rows } = await this.#client.query<{ pid: number }>("select pg_backend_pid() as pid");
    this.pid = rows[0]!.pid;
  }

  async run(step: Step): Promise<Rows> {
    try {
      return rowsOf(await this.#client.query<Row>(this.#sqlOf(step)));
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && conflicts.includes(error.code!))) throw error;
      await this.#client.query("rollback");
      throw new Aborted();
    }
  }

  end(): Promise<void> {
    return this.#client.end();
  }

  #sqlOf({ verb, first, second, where }: Step): string {
    const sql = {
      begin: `begin ${this.mode}`,
      "begin read only": `begin ${this.mode}`,
      get: `select * from test where id = ${first}`,
      "get for update": `select * from test where id = ${first} for update`,
      select: `select * from test where ${where.text}`,
      put: `update test set value = ${second} where id = ${first}`,
      insert: `insert into test values (${first}, ${second})`,
      set: `update test set value = ${first} where ${where.text}`,
      add: `update test set value = value + ${first} where ${where.text}`,
      delete: `delete from test where ${where.text} returning *`,
      commit: "commit",
      abort: "rollback",
    };
    return sql[verb];
  }
}

function rowsOf({ rows }: pg.QueryResult<Row>): Rows {
  return rows.map(({ id, value }) => [id, value] as const).sort(([one], [other]) => one - other);
}

/** Whether each of them waits in the end for someone who is not among them, and so is not about to move. */
function allWait(busy: readonly Blocked[]): boolean {
  const moving = new Set(busy.map(({ pid }) => pid));
  for (let before = -1; before !== moving.size;) {
    before = moving.size;
    for (const { pid, blockers } of busy) {
      if (blockers.some((blocker) => !moving.has(blocker))) moving.delete(pid);
    }
  }
  return moving.size === 0;
}
