import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { connect } from "lockstep";
import { showProgress } from "../report.js";
import type { Addition } from "./server-bench.js";

const waiters = 100;
const mostConnections = 2;
/** Until all stand in line. */
const settleMs = 2000;

/**
 * The connections of one client whose tasks each wait for another lock, all of them held elsewhere. Whoever
 * waits for an advisory lock does so on a connection of his own, so nothing is measured of those.
 */
export async function postgresConnections(address: string): Promise<Addition> {
  showProgress("connections");
  const server = new Client({ connectionString: address });
  await server.connect();
  await using holder = await connect(address);
  const names = Array.from({ length: waiters }, (_, index) => `wanted-${index}`);
  const held = await Promise.all(names.map((name) => holder.lock(name).acquire()));

  const before = await connectionsTo(server);
  await using client = await connect(address);
  const waiting = Promise.all(names.map((name) => client.lock(name).acquire()));
  await sleep(settleMs);
  const taken = (await connectionsTo(server)) - before;
  // All of them are served, or it was no waiting.
  await Promise.all(held.map((one) => one.release()));
  await Promise.all((await waiting).map((one) => one.release()));
  await server.end();
  return {
    table: {
      title: `Connections: ${waiters} tasks of one process wait, each for another lock`,
      head: ["", "connections"],
      rows: [
        ["lockstep", String(taken)],
        ["advisory locks", `one each: ${waiters}`],
      ],
    },
    targets: [
      {
        what: `connections for ${waiters} who wait`,
        target: `≤ ${mostConnections}`,
        measured: String(taken),
        isMet: taken <= mostConnections,
      },
    ],
    figures: { connections: taken },
  };
}

async function connectionsTo(server: Client): Promise<number> {
  const { rows } = await server.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where backend_type = 'client backend'",
  );
  return rows[0]!.count;
}
