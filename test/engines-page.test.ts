// docs/engines/README.md shows what each engine promises, as the engines say it. After a change of either:
//
//   npx vitest run test/engines-page.test.ts --update
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openLmdbStore } from "lockstep/lmdb";
import { MemoryStore } from "lockstep/memory";
import type { Guarantees } from "lockstep/store";
import { format, resolveConfig } from "prettier";
import { expect, test } from "vitest";
import { guaranteesText } from "../src/cli/guarantees-text.js";
import { guarantees as etcd } from "../src/engines/etcd/guarantees.js";
import { guaranteesWith as postgresWith } from "../src/engines/postgres/guarantees-with.js";
import { guarantees as redis } from "../src/engines/redis/guarantees.js";
import { guaranteesWithin as zookeeperWithin } from "../src/engines/zookeeper/guarantees-within.js";

const path = fileURLToPath(new URL("../docs/engines/README.md", import.meta.url));
const begin = "<!-- guarantees -->";
const end = "<!-- /guarantees -->";

/** A server of ZooKeeper as it is set up unless told else: ticks of two seconds, sessions of 2 to 20. */
const zookeeper = zookeeperWithin(4000, 40_000);

test("the page of the engines shows what they promise", async () => {
  const page = await readFile(path, "utf8");
  const [before, after] = [page.split(begin)[0], page.split(end)[1]];
  const all = [new MemoryStore().guarantees, await lmdb(), etcd, postgresWith("view"), redis, zookeeper];
  const text = [before, begin, "\n\n", table(all), "\n\n", end, after].join("");
  const options = await resolveConfig(path);
  await expect(await format(text, { ...options, parser: "markdown" })).toMatchFileSnapshot(path);
});

/** A row for each promise, a column for each engine. */
function table(all: readonly Guarantees[]): string {
  const columns = all.map(guaranteesText);
  const rows = columns[0]!.map(([name], row) => [name, ...columns.map((column) => column[row]![1])]);
  const head = ["", ...all.map(({ engine }) => engine)];
  return [head, head.map(() => "-"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

async function lmdb(): Promise<Guarantees> {
  const directory = await mkdtemp(join(tmpdir(), "lockstep-engines-"));
  const store = await openLmdbStore(directory);
  await store.close();
  await rm(directory, { recursive: true });
  return store.guarantees;
}
