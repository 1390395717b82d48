import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { systemClock } from "lockstep/base";
import { frozenClock, storeConformance, type Fixture } from "lockstep/conformance";
import { openPostgresStore } from "lockstep/postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";
import { likeTheModel } from "../store/model.js";

let server: RunningServer;
let count = 0;

/** A namespace of its own on the one server. */
async function postgresFixture(listen: boolean): Promise<Fixture> {
  const namespace = `conformance_${count++}`;
  const connection = { connectionString: server.address };
  return {
    connect: () => openPostgresStore({ connection, namespace, listen }),
    connectFrozen: () =>
      openPostgresStore({ connection, namespace, listen, clock: frozenClock(systemClock) }),
    sleep: (ms) => sleep(ms),
    dispose: async () => {
      const client = new pg.Client(connection);
      await client.connect();
      await client.query(`drop schema ${namespace} cascade`);
      await client.end();
    },
  };
}

describeOn("postgres", "the Postgres engine", () => {
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  storeConformance({ describe, test }, "postgres", () => postgresFixture(true));
  storeConformance({ describe, test }, "postgres, polled", () => postgresFixture(false));

  test("does as the model does, and so as the memory engine", async () => {
    await fc.assert(
      likeTheModel(() => postgresFixture(true), { expiry: false }),
      { numRuns: 40 },
    );
  }, 120_000);
});
