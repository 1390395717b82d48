// The functions that make the changes of locks in fewer statements do what the general one does.
import { openPostgresStore } from "lockstep/postgres";
import type { Change, Revision } from "lockstep/store";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import { absent, alive, made, put, refused, remove } from "../../src/conformance/shorthand.js";
import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";

const read = { prefix: "q/", order: "created" } as const;

function taking(key: string, session: string): Change {
  return { when: [absent(key)], then: [put(key, "", session)], read };
}

function giving(key: string): Change {
  return { then: [remove(key)], show: read.prefix };
}

describeOn("postgres", "a shortcut", () => {
  let server: RunningServer;
  let direct: pg.Client;
  let store: Awaited<ReturnType<typeof openPostgresStore>>;
  let session: string;
  let count = 0;

  beforeAll(async () => {
    server = await startPostgres();
    direct = new pg.Client(server.address);
    await direct.connect();
  });
  afterAll(async () => {
    await direct.end();
    await server.stop();
  });

  beforeEach(async () => {
    const namespace = `shortcuts_${count++}`;
    store = await openPostgresStore({ connection: { connectionString: server.address }, namespace });
    session = (await store.openSession({ ttlMs: 60_000 })).id;
    await direct.query(`set search_path = ${namespace}`);
  });
  afterEach(() => store.close());

  async function keys(): Promise<{ keys: string[]; revision: Revision }> {
    const { entries, revision } = await store.read(read);
    return { keys: entries.map(({ key }) => key), revision };
  }

  test("takes a key and gives it back, each with the next revision", async () => {
    const { revision } = await made(store, { then: [put("q/kept")] });
    const taken = await made(store, taking("q/a", session));
    expect(taken.revision).toBe(revision + 1n);
    expect(taken.snapshot.entries.map(({ key, created }) => [key, created])).toEqual([
      ["q/kept", revision],
      ["q/a", revision + 1n],
    ]);
    expect((await made(store, giving("q/a"))).revision).toBe(revision + 2n);
    expect(await keys()).toEqual({ keys: ["q/kept"], revision: revision + 2n });
  });

  test("refuses a key that is there, bound or not, and takes no revision for that", async () => {
    await made(store, { then: [put("q/kept")] });
    const { revision } = await made(store, { then: [put("q/bound", "", session)] });
    for (const key of ["q/kept", "q/bound"]) {
      const { failed, snapshot } = await refused(store, taking(key, session));
      expect(failed).toEqual(absent(key));
      expect(snapshot.entries.map((entry) => entry.key)).toEqual(["q/kept", "q/bound"]);
    }
    expect((await keys()).revision).toBe(revision);
  });

  test("is none for what only looks like it", async () => {
    await made(store, { then: [put("q/there")] });
    const other = { ...taking("q/there", session), when: [absent("q/other")] };
    expect((await made(store, other)).snapshot.entries[0]?.session).toBe(session);
    expect((await refused(store, { ...other, when: [absent("q/there")] })).failed).toEqual(absent("q/there"));
    const unbound = { when: [absent("q/a"), alive(session)], then: [put("q/a")], read };
    expect((await made(store, unbound)).snapshot.entries.at(-1)?.session).toBe(undefined);
  });

  test("binds nothing to the dead, and takes no revision for that", async () => {
    const { revision } = await made(store, { then: [put("q/kept")] });
    const dead = "0123456789abcdef0123";
    expect((await refused(store, taking("q/a", dead))).failed).toEqual(alive(dead));
    expect((await refused(store, taking("q/kept", dead))).failed).toEqual(absent("q/kept"));
    expect(await keys()).toEqual({ keys: ["q/kept"], revision });
  });

  test("deletes what is not bound, too, and takes no revision where there is nothing", async () => {
    const { revision } = await made(store, { then: [put("q/kept")] });
    expect((await made(store, giving("q/none"))).revision).toBe(revision);
    expect((await made(store, giving("q/kept"))).revision).toBe(revision + 1n);
    expect(await keys()).toEqual({ keys: [], revision: revision + 1n });
  });

  test("ends first what has expired", async () => {
    const other = await store.openSession({ ttlMs: 60_000 });
    for (const change of [taking("q/a", session), giving("q/a")]) {
      const { revision } = await made(store, { then: [put("q/theirs", "", other.id)] });
      await direct.query("update live set due = 'epoch'");
      await direct.query("insert into session values ('gone', '', 1, 'epoch')");
      await direct.query("update bound set session = 'gone' where key = 'q/theirs'");
      expect((await made(store, change)).revision).toBe(revision + 2n);
      expect((await keys()).keys).not.toContain("q/theirs");
    }
  });

  test("raises the ceiling before it goes beyond", async () => {
    for (const change of [taking("q/a", session), giving("q/a")]) {
      await direct.query("update installation set ceiling = revision from live");
      await direct.query("update live set ceiling = revision");
      const { revision } = await made(store, change);
      const { rows } = await direct.query<{ ceiling: string }>("select ceiling from installation");
      expect(BigInt(rows[0]?.ceiling ?? 0)).toBeGreaterThan(revision);
    }
  });
});
