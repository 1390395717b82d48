import { createReadStream } from "node:fs";
import { copyFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, Lockstep } from "lockstep";
import { mergeHistories, readHistory, recorder, register } from "lockstep/check";
import { openLmdbStore } from "lockstep/lmdb";
import { expect, test } from "vitest";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import { Judge } from "../coordination/judge.js";
import { Child } from "./child.js";
import { temporaryDirectory } from "./directories.js";

const boots = ["0".repeat(32), "1".repeat(32), "2".repeat(32)];

test("what was acknowledged survives kill -9 at any instant, whole", async () => {
  const directory = await temporaryDirectory();
  for (let round = 0; round < 6; round++) {
    const logs = ["a", "b"].map((name) => join(directory, `${round}${name}.jsonl`));
    const writers = logs.map((log, i) => new Child("./writer.ts", [directory, `${round}${i}`, log]));
    await Promise.all(writers.map((writer) => writer.next()));
    await sleep(100 + 37 * round);
    await Promise.all(writers.map((writer) => writer.kill()));
    await using ls = await connect(`lmdb:${directory}`);
    const record = recorder();
    const reader = record.client("reader");
    const writes = await Promise.all(logs.map((log) => readHistory(createReadStream(log, "utf8"))));
    for (const key of new Set(writes.flatMap(({ operations }) => operations.map(({ args }) => args[0])))) {
      await reader.call("read", key, async () => {
        const entry = await ls.kv.get(key as string);
        if (entry === null) return null;
        const [number = "", filling = ""] = entry.text.split(":");
        expect(filling).toBe("x".repeat(Number(number) % 3000));
        return Number(number);
      });
    }
    // Of each writer the one write that was not acknowledged may have been made as well, or not.
    mustBeLinearizable(mergeHistories(...writes, record.history), register());
  }
}, 60_000);

test("a boot ends all sessions, keeps what is unbound, and lets tokens rise", async () => {
  const directory = await temporaryDirectory();
  const judge = new Judge();
  for (const [index, boot] of boots.entries()) {
    // Not closed: the machine goes down under it.
    const ls = new Lockstep(await openLmdbStore(directory, { boot }));
    if (index > 0) expect((await ls.kv.get("config"))?.text).toBe(String(index - 1));
    expect((await ls.census()).locks).toEqual([]);
    for (let i = 0; i < 20; i++) {
      const held = await ls.lock(`lock ${i}`).acquire();
      judge.heardOfGrant("any", held.token);
    }
    await ls.kv.put("config", String(index));
  }
});

test("a power failure loses no acknowledged write, and lets no token come twice", async () => {
  const directory = await temporaryDirectory();
  const other = await temporaryDirectory();
  const judge = new Judge();
  const before = judge.follow(new Lockstep(await openLmdbStore(directory, { boot: boots[0] ?? "" })));
  await before.kv.put("config", "acknowledged");
  // What is on the disk now is the least that the disk can hold later: nothing after it is flushed.
  for (const name of await readdir(directory)) {
    if (name.endsWith(".journal")) await copyFile(join(directory, name), join(other, name));
  }
  for (let i = 0; i < 5000; i++) await (await before.lock("busy").acquire()).release();
  // The file of the old boot comes back as garbage, as an unflushed file may.
  await writeFile(join(other, `live-${boots[0]}.mdb`), Buffer.alloc(64 * 1024, 0xa5));
  const after = judge.follow(new Lockstep(await openLmdbStore(other, { boot: boots[1] ?? "" })));
  expect((await after.kv.get("config"))?.text).toBe("acknowledged");
  await after.lock("busy").acquire();
  expect(await readdir(other)).not.toContain(`live-${boots[0]}.mdb`);
  await after.close();
  await before.close();
});

test("a write that its process did not live to copy is copied by the next writer", async () => {
  const directory = await temporaryDirectory();
  const first = await openLmdbStore(directory, { boot: boots[0] ?? "" });
  // Bound, and then unbound: both kinds of writes that the copy must follow.
  const session = await first.openSession({ ttlMs: 60_000 });
  const value = Buffer.from("1");
  await first.commit({ then: [{ kind: "put", key: "x", value, session: session.id }] });
  await first.commit({ then: [{ kind: "put", key: "x", value }] });
  await first.commit({ then: [{ kind: "put", key: "y", value }] });
  await first.commit({ then: [{ kind: "delete", key: "y" }] });
  const second = await openLmdbStore(directory, { boot: boots[1] ?? "" });
  const { entries } = await second.read({ prefix: "" });
  expect(entries.map(({ key }) => key)).toEqual(["x"]);
  await first.close();
  await second.close();
});

test("thousands of names that were locked leave the store as small as ten", async () => {
  const directory = await temporaryDirectory();
  await using ls = await connect(`lmdb:${directory}`);
  const use = async (names: number, kind: string) => {
    for (let i = 0; i < names; i += 100) {
      await Promise.all(
        Array.from({ length: Math.min(100, names - i) }, (_, j) => ls.lock(`${kind} ${i + j}`).run(() => j)),
      );
    }
  };
  await use(100, "few");
  const size = async () => {
    const files = (await readdir(directory)).filter((name) => name.endsWith(".mdb"));
    return Promise.all(files.map(async (name) => (await stat(join(directory, name))).size));
  };
  const small = Math.max(...(await size()));
  await use(20_000, "many");
  expect(Math.max(...(await size()))).toBeLessThan(small * 2);
  expect((await ls.store.read({ prefix: "" })).entries).toEqual([]);
});
