import { once } from "node:events";
import { Socket } from "node:net";
import type * as pgPackage from "pg";
import type { Pool, PoolConfig } from "pg";
import { systemClock, type Clock } from "../../base/clock.js";
import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { withoutPassword } from "../../store/server-address.js";
import { HeardWatches } from "./heard-watches.js";
import { install } from "./installation.js";
import { PolledWatches } from "./polled-watches.js";
import { PostgresStore } from "./postgres-store.js";
import { Requests } from "./requests.js";
import { Server } from "./server.js";

/** A server that is there hangs up at once. */
const farewellMs = 1000;

export interface OpenPostgresOptions {
  /** A pool of yours, of which two connections are held until the store is closed; it stays open. */
  readonly pool?: Pool | undefined;
  /** Or else what `pg` is to connect with. */
  readonly connection?: PoolConfig | undefined;
  /** The schema of all that is kept here, "lockstep" unless given; it is made if need be. */
  readonly namespace?: string | undefined;
  /**
   * False behind PgBouncer in transaction mode, where notifications are not heard and statements not
   * prepared: watches poll then.
   */
  readonly listen?: boolean | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/** Opens the store in a schema of a database, which is made if need be. */
export async function openPostgresStore(options: OpenPostgresOptions): Promise<PostgresStore> {
  checkOptions(options, ["pool", "connection", "namespace", "listen", "clock"]);
  const { namespace = "lockstep", listen = true, clock = systemClock } = options;
  checkNamespace(namespace);
  if ((options.pool === undefined) === (options.connection === undefined)) {
    throw new LockstepError("bad-input", "give either a pool or a connection");
  }
  const { pool, end } = options.pool ? theirs(options.pool, listen) : await ours(options.connection, clock);
  const server = new Server(pool, clock, namespace, listen);
  const requests = new Requests(server);
  const watches = listen ? new HeardWatches(server, requests, clock) : new PolledWatches(requests, clock);
  try {
    await install(server, clock);
  } catch (error) {
    await end();
    throw error;
  }
  return new PostgresStore(clock, requests, watches, listen ? "view" : "poll", () => {
    server.close();
    return end();
  });
}

/** Opens what an address names: what `pg` takes, and `namespace` and `listen` among its parameters. */
export async function postgresStoreAt(address: string, { clock }: { clock: Clock }): Promise<PostgresStore> {
  const [place = "", query = ""] = address.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const namespace = parameters.get("namespace") ?? undefined;
  const listen = parameters.get("listen") ?? "on";
  if (listen !== "on" && listen !== "off") throw badAddress(address, 'listen must be "on" or "off"');
  parameters.delete("namespace");
  parameters.delete("listen");
  const connectionString = parameters.size === 0 ? place : `${place}?${parameters.toString()}`;
  return openPostgresStore({
    connection: { connectionString },
    ...(namespace !== undefined && { namespace }),
    listen: listen === "on",
    clock,
  });
}

function theirs(pool: Pool, listen: boolean) {
  // A client, say, which has no room for two.
  if (!("totalCount" in pool)) throw new LockstepError("bad-input", "the pool must be a Pool of pg");
  const held = listen ? 2 : 1;
  if (pool.options.max > held) return { pool, end: () => Promise.resolve() };
  throw new LockstepError(
    "bad-input",
    `the pool has room for ${pool.options.max} connections, of which ${held} would be held by the store; ` +
      "make it larger by as many",
  );
}

/** A pool of two connections: one to listen, and one for all else. */
async function ours(connection: PoolConfig = {}, clock: Clock) {
  if (typeof connection !== "object") {
    throw new LockstepError("bad-input", "the connection must be settings, as in { connectionString }");
  }
  const { Client, Pool } = await loadPg();
  try {
    // Else the first to connect would find out.
    new Client(connection);
  } catch (cause) {
    throw new LockstepError("bad-input", "pg makes nothing of this address, or of this connection", {
      cause,
    });
  }
  const sockets = new Set<Socket>();
  const stream = () => {
    const socket = new Socket();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const pool = new Pool({ keepAlive: true, allowExitOnIdle: true, ...connection, max: 2, stream });
  // A connection that breaks while nobody uses it is no news: the next one is made when it is needed.
  pool.on("error", ignore);
  const end = async () => {
    const closed = [...sockets].map((socket) => once(socket, "close"));
    // From a dead server there is no farewell, and who is still connecting to one would keep the pool
    // waiting.
    const timer = clock.after(farewellMs, () => {
      for (const socket of sockets) socket.destroy();
    });
    await pool.end();
    await Promise.all(closed);
    timer.cancel();
  };
  return { pool, end };
}

async function loadPg(): Promise<typeof pgPackage> {
  try {
    return await import("pg");
  } catch (cause) {
    throw new LockstepError(
      "missing-peer",
      'addresses that begin with "postgres:" need the package pg, which cannot be loaded; ' +
        "install it with: npm install pg",
      { cause },
    );
  }
}

/** Postgres cuts off what is longer, and keeps names with "pg_" for itself. */
function checkNamespace(namespace: string): void {
  if (typeof namespace === "string" && /^(?!pg_)[A-Za-z0-9_.-]{1,63}$/.test(namespace)) return;
  throw new LockstepError(
    "bad-input",
    `the namespace ${JSON.stringify(namespace)} is no name for a schema; give 1 to 63 letters, digits, ` +
      '"_", "-" and ".", not beginning with "pg_"',
  );
}

function badAddress(address: string, fault: string): LockstepError {
  return new LockstepError("bad-input", `cannot connect to ${withoutPassword(address)}: ${fault}`);
}

function ignore(): void {
  // See where it is given.
}
