import { readFile } from "node:fs/promises";
import type { PoolClient } from "pg";
import type { Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { quoted, unavailable, within, type Server } from "./server.js";

/** Of the tables and functions in the .sql files beside this one. */
const version = 2;
const files = ["tables", "boot", "commit", "sessions", "watches", "look"];

/** Sees to it that the schema holds what this version needs; whoever comes first installs it. */
export async function install(server: Server, clock: Clock): Promise<void> {
  const client = await server.hold();
  try {
    const installed = await within(clock, check(client, server.schema));
    if (!installed) await within(clock, make(client, server.schema));
  } catch (cause) {
    throw isLockstepError(cause) ? cause : explained(cause, server.schema);
  } finally {
    client.release(true);
  }
}

/** Whether it is installed, in this version. */
async function check(client: PoolClient, schema: string): Promise<boolean> {
  // Not by to_regclass, which remembers: whoever has waited for another to install would not find it.
  const { rows } = await client.query<[string, string, boolean]>({
    text: `select current_setting('transaction_isolation'), current_setting('server_encoding'), exists (
      select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where nspname = $1 and relname = 'installation'
    )`,
    values: [schema],
    rowMode: "array",
  });
  const [isolation, encoding, isThere] = rows[0] as [string, string, boolean];
  if (isolation !== "read committed") {
    throw unsupported(`the transactions of its connections are "${isolation}"; set them to "read committed"`);
  }
  if (encoding !== "UTF8") throw unsupported(`the database's encoding is ${encoding}; give one in UTF8`);
  if (!isThere) return false;
  const found = await client.query<{ version: number }>(`select version from ${quoted(schema)}.installation`);
  const theirs = found.rows[0]?.version;
  if (theirs === version) return true;
  throw unsupported(
    `the schema ${quoted(schema)} has version ${String(theirs)}, and this is made for version ${version}; ` +
      "use one version of lockstep everywhere, or give each a namespace of its own",
  );
}

async function make(client: PoolClient, schema: string): Promise<void> {
  const scripts = await Promise.all(
    files.map((file) => readFile(new URL(`${file}.sql`, import.meta.url), "utf8")),
  );
  await client.query("begin");
  // Two who install at once: the second waits, and finds it done.
  await client.query("select pg_advisory_xact_lock(hashtext('lockstep: install'))");
  if (!(await check(client, schema))) {
    // Asked first: who may not make a schema may still be given one.
    const { rows } = await client.query("select from pg_namespace where nspname = $1", [schema]);
    if (rows.length === 0) await client.query(`create schema ${quoted(schema)}`);
    await client.query(`set local search_path = ${quoted(schema)}`);
    await client.query(scripts.join("\n"));
    await client.query(`insert into installation values (${version}, '', 0, 0)`);
  }
  await client.query("commit");
}

function unsupported(fault: string): LockstepError {
  return new LockstepError("unsupported", `postgres: ${fault}`);
}

function explained(cause: unknown, schema: string): LockstepError {
  if ((cause as { code?: unknown }).code !== "42501") return unavailable(cause);
  return new LockstepError(
    "unavailable",
    `postgres: the schema ${quoted(schema)} cannot be made or used, for lack of privileges; have someone ` +
      `run CREATE SCHEMA ${quoted(schema)} AUTHORIZATION your_user, or GRANT CREATE ON DATABASE`,
    { cause },
  );
}
