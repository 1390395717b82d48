import { readFileSync } from "node:fs";
import { openPostgresStore, postgresStoreAt } from "lockstep/postgres";
import { afterAll, beforeAll, test } from "vitest";
import { systemClock } from "../../src/base/clock.js";
import { failsWith, made, put } from "../../src/conformance/shorthand.js";
import { makeCertificates } from "../rig/certificates.js";
import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";
import { removeFolder, temporaryFolder } from "../rig/temporary-folder.js";

describeOn("postgres", "Postgres over TLS", () => {
  const folder = temporaryFolder("postgres-certificates", "postgres");
  let server: RunningServer;
  let ca: string;

  beforeAll(async () => {
    const made = makeCertificates(folder);
    ca = made.ca;
    server = await startPostgres({ tls: { ...made.server, only: true } });
  });
  afterAll(async () => {
    await server.stop();
    removeFolder(folder);
  });

  test("is spoken where the address says so, and the server's certificate is looked at", async () => {
    const clock = systemClock;
    await failsWith("unavailable", () => postgresStoreAt(server.address, { clock }));
    await failsWith("unavailable", () => postgresStoreAt(`${server.address}?sslmode=verify-full`, { clock }));
    const checks = `sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`;
    const trusted = `${server.address}?${checks}&namespace=tls`;
    const store = await postgresStoreAt(trusted, { clock });
    const watch = store.watch("");
    await watch.next();
    await made(store, { then: [put("a")] });
    await watch.next();
    await store.close();
  });

  test("is spoken as pg is told to", async () => {
    const connection = { connectionString: server.address, ssl: { ca: readFileSync(ca, "utf8") } };
    const store = await openPostgresStore({ connection, namespace: "options" });
    await made(store, { then: [put("a")] });
    await store.close();
  });
});
