// How one gets in, and what is said to those who do not.
import { connect, Lockstep } from "lockstep";
import { isLockstepError } from "lockstep/base";
import { openPostgresStore, postgresStoreAt } from "lockstep/postgres";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.js";
import { failsWith, made, put } from "../../src/conformance/shorthand.js";
import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";

const clock = systemClock;

/** What is sent from now on over the connections that the pool makes, but for signs of life. */
function statementsOf(pool: pg.Pool): string[] {
  const statements: string[] = [];
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, {
      query: (...args: [string | { text: string }, ...unknown[]]) => {
        const text = typeof args[0] === "string" ? args[0] : args[0].text;
        if (!text.includes("pulse")) statements.push(text);
        return query(...args);
      },
    });
  });
  return statements;
}

describeOn("postgres", "a connection to Postgres", () => {
  let server: RunningServer;
  let connection: { connectionString: string };

  beforeAll(async () => {
    server = await startPostgres({ password: "secret:with/signs" });
    connection = { connectionString: server.address };
  });
  afterAll(() => server.stop());

  async function sql(text: string): Promise<pg.QueryResult> {
    const client = new pg.Client(connection);
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  }

  test("is made by an address, with a namespace of one's own", async () => {
    await using ls = await connect(`${server.address}?namespace=by_address`);
    await using guard = await ls.lock("job").acquire();
    expect(guard.isHeld).toBe(true);
    const { rows } = await sql("select count(*)::int as count from by_address.bound");
    expect(rows).toEqual([{ count: 1 }]);
  });

  test("with a wrong password is refused, without a word of the password", async () => {
    const wrong = server.address.replace("secret", "guess");
    const error: unknown = await postgresStoreAt(wrong, { clock }).catch((error: unknown) => error);
    expect(isLockstepError(error, "unavailable") && error.message).toMatch(/password/);
    expect(String(error)).not.toMatch(/guess/);
  });

  test("to where nobody listens fails at once", async () => {
    await failsWith("unavailable", () =>
      postgresStoreAt("postgres://postgres@127.0.0.1:1/postgres", { clock }),
    );
  });

  test.each([
    ["postgres://h/db?listen=maybe", "listen"],
    ["postgres://h/db?namespace=pg_mine", "namespace"],
    ["postgres://h/db?namespace=", "namespace"],
    ['postgres://h/db?namespace=a"b', "namespace"],
    ["postgres://h:port/db", "address"],
  ])("by %s makes no sense", async (address, word) => {
    const error: unknown = await postgresStoreAt(address, { clock }).catch((error: unknown) => error);
    expect(isLockstepError(error, "bad-input") && error.message).toContain(word);
  });

  test("may be had from a pool, which gets its connections back, clean", async () => {
    const pool = new pg.Pool({ ...connection, max: 3 });
    const store = await openPostgresStore({ pool, namespace: "pooled" });
    const watch = store.watch("");
    await watch.next();
    await made(store, { then: [put("a")] });
    expect((await watch.next()).value?.kind).toBe("batch");
    expect(pool.totalCount - pool.idleCount).toBe(2);
    await store.close();
    expect(pool.totalCount - pool.idleCount).toBe(0);
    const client = await pool.connect();
    expect([client.listenerCount("error"), client.listenerCount("end")]).toEqual([0, 0]);
    client.release();
    await pool.end();
  });

  test("from a pool with no room left for its owner is refused", async () => {
    const pool = new pg.Pool({ ...connection, max: 2 });
    await failsWith("bad-input", () => openPostgresStore({ pool }));
    // What is easily taken for the other.
    const mistaken = [{ pool: new pg.Client(connection) }, { connection: server.address }] as never[];
    for (const options of mistaken) await failsWith("bad-input", () => openPostgresStore(options));
    await pool.end();
  });

  test("takes a hundred waiters on two connections", async () => {
    const count = "select count(*)::int as count from pg_stat_activity where backend_type = 'client backend'";
    const countOf = async () => ((await sql(count)).rows[0] as { count: number }).count;
    const before = await countOf();
    const holder = await connect(`${server.address}?namespace=crowd`);
    const waiters = await connect(`${server.address}?namespace=crowd`);
    const guard = await holder.lock("job").acquire();
    const others = Array.from({ length: 100 }, (_, i) => holder.lock(`job ${i}`).acquire());
    const guards = await Promise.all(others);
    const waiting = Array.from({ length: 100 }, (_, i) => waiters.lock(`job ${i}`).acquire());
    while ((await sql("select from crowd.interest")).rows.length < 100) await new Promise(setImmediate);
    expect((await countOf()) - before).toBeLessThanOrEqual(1 + 2);
    for (const mine of guards) await mine.release();
    for (const theirs of await Promise.all(waiting)) await theirs.release();
    await guard.release();
    await Promise.all([holder.close(), waiters.close()]);
  });

  test("of many at once installs once", async () => {
    const options = { connection, namespace: "crowded" };
    const stores = await Promise.all(Array.from({ length: 8 }, () => openPostgresStore(options)));
    await Promise.all(stores.map((store, i) => made(store, { then: [put(`a ${i}`)] })));
    expect((await stores[0]?.read({ prefix: "" }))?.entries).toHaveLength(8);
    expect((await sql("select from crowded.installation")).rows).toHaveLength(1);
    await Promise.all(stores.map((store) => store.close()));
  });

  test("to a schema of a later version is refused", async () => {
    const options = { connection, namespace: "later" };
    await (await openPostgresStore(options)).close();
    await sql("update later.installation set version = 3");
    const error: unknown = await openPostgresStore(options).catch((error: unknown) => error);
    expect(isLockstepError(error, "unsupported") && error.message).toMatch(/version 3/);
  });

  test("of one who may not make the schema says what to do", async () => {
    await sql("create role guest login password 'guest'");
    const guest = { connectionString: server.address.replace(/\/\/[^@]*@/, "//guest:guest@") };
    const options = { connection: guest, namespace: "guests" };
    const error: unknown = await openPostgresStore(options).catch((error: unknown) => error);
    expect(isLockstepError(error, "unavailable") && error.message).toMatch(/CREATE SCHEMA "guests"/);
    await sql("create schema guests authorization guest");
    const store = await openPostgresStore(options);
    const session = await store.openSession({ ttlMs: 1000 });
    await made(store, { then: [put("a", "", session.id), put("b")] });
    await store.close();
  });

  test("whose transactions are of another isolation is refused", async () => {
    const options = { ...connection, options: "-c default_transaction_isolation=serializable" };
    await failsWith("unsupported", () => openPostgresStore({ connection: options }));
  });

  test("sends changes that wait together, each with its own verdict", async () => {
    const pool = new pg.Pool({ ...connection, max: 3 });
    const statements = statementsOf(pool);
    const store = await openPostgresStore({ pool, namespace: "together" });
    await store.read({ prefix: "" });
    statements.length = 0;
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, () => {
        return store.commit({ when: [{ kind: "absent", key: "a" }], then: [put("a")] });
      }),
    );
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1);
    expect(statements).toHaveLength(1);
    await store.close();
    await pool.end();
  });

  test("hears with a release that it is next, and asks nothing more", async () => {
    const namespace = "successor";
    const pool = new pg.Pool({ ...connection, max: 3 });
    const holder = await connect(`${server.address}?namespace=${namespace}`);
    const successor = new Lockstep(await openPostgresStore({ pool, namespace }));
    const statements = statementsOf(pool);
    const interests = async () => (await sql(`select from ${namespace}.interest`)).rows.length;
    for (let turn = 0; turn < 3; turn++) {
      const guard = await holder.lock("job").acquire();
      const waiting = successor.lock("job").acquire();
      while ((await interests()) === 0) await new Promise(setImmediate);
      // Answered after its watch was.
      await successor.store.read({ prefix: "" });
      statements.length = 0;
      await guard.release();
      const theirs = await waiting;
      expect(statements).toEqual([]);
      await theirs.release();
      while ((await interests()) > 0) await new Promise(setImmediate);
    }
    await Promise.all([holder.close(), successor.close()]);
    await pool.end();
  });

  test("reads what is too long to be read under the lock after it", async () => {
    const store = await openPostgresStore({ connection, namespace: "long" });
    const long = "x".repeat(100_000);
    const { snapshot, revision } = await made(store, { then: [put("a", long)], read: { prefix: "" } });
    expect(snapshot.entries[0]?.value).toHaveLength(long.length);
    expect(snapshot.revision).toBe(revision);
    await store.close();
  });

  test("is not missed by a notification that is too long", async () => {
    const store = await openPostgresStore({ connection, namespace: "knock" });
    const watch = store.watch("");
    await watch.next();
    await made(store, { then: [put("a", "x".repeat(10_000))] });
    const told = (await watch.next()).value;
    expect(told?.kind === "resync" && told.snapshot.entries[0]?.value.length).toBe(10_000);
    await store.close();
  });

  test("leaves nothing behind that keeps the process alive", async () => {
    const store = await openPostgresStore({ connection, namespace: "exit" });
    const watch = store.watch("");
    await watch.next();
    const pending = expect(watch.next()).rejects.toMatchObject({ code: "closed" });
    await store.close();
    await pending;
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap");
    while (sockets().length > 0) await new Promise(setImmediate);
  });
});
