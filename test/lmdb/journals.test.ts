import type { Entry } from "lockstep/store";
import { expect, test } from "vitest";
import { Journals } from "../../src/engines/lmdb/journals.js";
import { temporaryDirectory } from "./directories.js";

function entry(key: string, revision: bigint): Entry {
  return { key, value: Buffer.from(key), created: revision, modified: revision, session: undefined };
}

test("of what journals say about a key, the highest revision counts", async () => {
  const directory = await temporaryDirectory();
  const [a, b] = [new Journals(directory), new Journals(directory)];
  await a.append(1, [{ kind: "put", entry: entry("x", 5n) }]);
  await b.append(1, [
    { kind: "put", entry: entry("x", 3n) },
    { kind: "put", entry: entry("y", 4n) },
    { kind: "ceiling", revision: 100n },
  ]);
  await a.append(1, [
    { kind: "delete", key: "y", revision: 6n },
    { kind: "ceiling", revision: 50n },
  ]);
  const { entries, ceiling } = new Journals(directory).recover();
  expect(entries.map(({ key, modified }) => [key, modified])).toEqual([["x", 5n]]);
  expect(ceiling).toBe(100n);
  await Promise.all([a.close(), b.close()]);
});

test("what was deleted before a base stays deleted, whoever comes late", async () => {
  const directory = await temporaryDirectory();
  const [early, late] = [new Journals(directory), new Journals(directory)];
  await early.append(1, [{ kind: "put", entry: entry("x", 2n) }]);
  await early.append(1, [{ kind: "delete", key: "x", revision: 3n }]);
  early.begin(2, [entry("y", 4n)], { revision: 4n, ceiling: 100n });
  early.forgetBefore(2);
  // It read x before it was deleted, and only now gets to write it down, in a generation that is past.
  await late.append(1, [
    { kind: "put", entry: entry("x", 2n) },
    { kind: "put", entry: entry("z", 5n) },
  ]);
  const { entries } = new Journals(directory).recover();
  expect(entries.map(({ key }) => key).sort()).toEqual(["y", "z"]);
  await Promise.all([early.close(), late.close()]);
});
