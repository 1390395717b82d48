// Histories that others recorded and judged, where they are at hand; through the code of `lockstep check`.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findingOf, type CheckRequest } from "../../src/cli/check-run.js";

const folder = "../shared/oracles";
const isThere = existsSync(folder);
const oracles = describe.skipIf(!isThere);
const where = isThere ? "" : `, not run: there is no ${folder}`;

async function verdictOf(file: string, request: CheckRequest = {}): Promise<string> {
  const { verdict } = await findingOf(join(folder, file), request);
  return verdict.is;
}

function filesIn(path: string): string[] {
  if (!isThere) return [];
  return readdirSync(join(folder, path)).map((name) => join(path, name));
}

oracles(`runs of an early etcd${where}`, () => {
  const labels = isThere ? readFileSync(join(folder, "jepsen-etcd/labels.txt"), "utf8") : "";
  const files = [...labels.matchAll(/^(\S+\.log) (\S+)$/gm)].map(([, file = "", label = ""]) => [
    file,
    label,
  ]);

  test("102 of them are labelled", () => {
    expect(files).toHaveLength(102);
    expect(files.filter(([, label]) => label === "linearizable")).toHaveLength(23);
  });

  test.each(files)("%s is %s", async (file, label) => {
    const { verdict, object, format } = await findingOf(join(folder, "jepsen-etcd", file), {});
    expect([format, object]).toEqual(["log", "cas-register"]);
    expect(verdict).toMatchObject({ is: label === "linearizable" ? "valid" : "violation" });
  });

  test("the empty one is refused", async () => {
    await expect(verdictOf("jepsen-etcd/etcd_095.log")).rejects.toThrow(
      /etcd_095.log:1: there is nothing in it/,
    );
  });
});

oracles(`a key-value store${where}`, () => {
  test.each(filesIn("kv"))("%s", async (file) => {
    const { verdict, object } = await findingOf(join(folder, file), {});
    expect(object).toBe("kv");
    expect(verdict.is).toBe(file.endsWith("-ok.txt") ? "valid" : "violation");
  });
});

oracles(`Jepsen's own examples${where}`, () => {
  test.each([
    ["bank-neg.edn", "bank"],
    ["bank-negative-balances.json", "bank"],
    ["cas-failure.edn", "cas-register"],
    ["paper-example.edn", "list-append"],
    ["paper-example.json", "list-append"],
    ["rethink-fail-minimal.edn", "register"],
    ["rethink-fail-smaller.edn", "cas-register"],
  ])("%s is a violation of %s", async (file, object) => {
    const finding = await findingOf(join(folder, "edn", file), {});
    expect([finding.verdict.is, finding.object]).toEqual(["violation", object]);
  });

  test.each(["edn", "json"])("paper-example.%s is not serializable either", async (ending) => {
    expect(await verdictOf(`edn/paper-example.${ending}`, { level: "serializable" })).toBe("violation");
  });
});

oracles(`levels of isolation${where}`, () => {
  const levels = ["read-committed", "read-atomic", "causal"];
  const files = ["none", ...levels].flatMap((label) =>
    filesIn(`isolation/${label}`).map((file): [string, string] => [file, label]),
  );

  test.each(files)("%s: the strongest that holds is %s", async (file, label) => {
    const verdicts = await Promise.all(levels.map((level) => verdictOf(file, { level })));
    const expected = levels.map((_level, place) => (place <= levels.indexOf(label) ? "valid" : "violation"));
    expect(verdicts).toEqual(expected);
  });
});
