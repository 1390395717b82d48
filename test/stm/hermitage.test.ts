// The anomalies that isolation levels are told apart by. At each level, those that it must prevent do not
// occur, and those that it need not prevent do, so that no level is secretly another. A Postgres plays the
// same scripts. docs/stm/isolation.md shows what was found. After a change of it:
//
//   npx vitest run test/stm/hermitage.test.ts --update
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Control, Isolation } from "lockstep/stm";
import { format, resolveConfig } from "prettier";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";
import { anomalies } from "./hermitage/anomalies.js";
import { differencesAt } from "./hermitage/differences.js";
import { controls, found, levels, measure, promised, type Column } from "./hermitage/matrix.js";
import { tablesOf } from "./hermitage/page.js";
import { PlainStage } from "./hermitage/plain-stage.js";
import { PostgresStage } from "./hermitage/postgres-stage.js";
import { StmStage } from "./hermitage/stm-stage.js";

const path = fileURLToPath(new URL("../../docs/stm/isolation.md", import.meta.url));

const inMemory = (isolation: Isolation, control: Control) =>
  measure(isolation, () => new StmStage({ isolation, control }));

test("what keeps nothing apart shows them all", async () => {
  const all = Object.fromEntries(anomalies.map(({ name }) => [name, true]));
  expect(found(await measure("serializable", () => new PlainStage()))).toEqual(all);
});

describe.each(controls)("under %s control", (control) => {
  test.each(levels)("%s prevents what it must, and no more", async (level) => {
    expect(found(await inMemory(level, control))).toEqual(promised(level));
  });
});

test.each(levels)("%s prevents the same with locks that are taken in order", async (isolation) => {
  const stage = () => new StmStage({ isolation, control: "pessimistic", order: "sorted" });
  expect(found(await measure(isolation, stage))).toEqual(promised(isolation));
});

test.each(levels)("%s prevents what it must where transactions take turns", async (isolation) => {
  const column = await measure(isolation, () => StmStage.hot({ isolation, control: "adaptive" }));
  // It may prevent more: whoever reads such a row waits for those who came before.
  const may = promised(isolation);
  expect(Object.keys(column).filter((name) => column[name] === "occurs" && !may[name])).toEqual([]);
  // Who is not checked need not: nobody is made to wait for nothing.
  const isUnchecked = isolation === "read-uncommitted" || isolation === "read-committed";
  if (isUnchecked) expect(column["P4: lost update"]).toBe("occurs");
  if (isolation === "serializable") expect(column["P4: lost update"]).toBe("prevented: waits");
});

describeOn("postgres", "beside Postgres", () => {
  let server: RunningServer;
  let stage: PostgresStage;
  const inPostgres = {} as Record<Isolation, Column>;

  beforeAll(async () => {
    server = await startPostgres({ settings: ["deadlock_timeout = 10ms"] });
    stage = await PostgresStage.open(server.address);
    for (const level of levels) inPostgres[level] = await measure(level, () => stage.reset(level));
  }, 60_000);
  afterAll(async () => {
    await stage.close();
    await server.stop();
  });

  test.each(levels)("%s is the same there, but for what is known", (level) => {
    const [ours, theirs] = [promised(level), found(inPostgres[level])];
    const different = Object.keys(ours).filter((name) => ours[name] !== theirs[name]);
    expect(different).toEqual(differencesAt(level).flatMap(({ anomalies }) => anomalies));
  });

  test("the page shows what was found", async () => {
    const shown = {} as Record<Isolation, Record<string, Column>>;
    for (const level of levels) {
      shown[level] = { Postgres: inPostgres[level] };
      for (const control of controls) shown[level][control] = await inMemory(level, control);
    }
    const page = await readFile(path, "utf8");
    const text = page.replace(/(?<=<!-- found -->).*(?=<!-- \/found -->)/s, `\n\n${tablesOf(shown)}\n\n`);
    const options = await resolveConfig(path);
    await expect(await format(text, { ...options, parser: "markdown" })).toMatchFileSnapshot(path);
  });
});
