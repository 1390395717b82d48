import { connect } from "lockstep";
import { postgresStoreAt } from "lockstep/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.js";
import { made, put, textOf } from "../../src/conformance/shorthand.js";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { startPgBouncer } from "../rig/pgbouncer.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";

describeOn("postgres", "behind PgBouncer in transaction mode", () => {
  let server: RunningServer;
  let bouncer: Awaited<ReturnType<typeof startPgBouncer>>;

  beforeAll(async () => {
    server = await startPostgres();
    bouncer = await startPgBouncer(server);
  });
  afterAll(async () => {
    await bouncer.stop();
    await server.stop();
  });

  test("many clients share few connections, and poll", async () => {
    const address = `${bouncer.address}?listen=off`;
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(address)));
    expect(clients[0]?.store.guarantees.push).toBe("poll");
    let inside = 0;
    await Promise.all(
      clients.map(async (client) => {
        for (let turn = 0; turn < 3; turn++) {
          await using guard = await client.lock("job").acquire();
          expect(++inside).toBe(1);
          await made(client.store, { then: [put("last", String(guard.token))] });
          inside--;
        }
      }),
    );
    await Promise.all(clients.map((client) => client.close()));
  });

  test("a watch sees what one that listens has written", async () => {
    const polled = await postgresStoreAt(`${bouncer.address}?listen=off`, { clock: systemClock });
    const direct = await postgresStoreAt(server.address, { clock: systemClock });
    const watcher = new Watcher(polled, "w/");
    await watcher.resync();
    for (let turn = 0; turn < 3; turn++) {
      await made(direct, { then: [put("w/a", String(turn))] });
      await watcher.until((state) => textOf(state.get("w/a")) === String(turn));
    }
    await Promise.all([polled.close(), direct.close()]);
  });
});
