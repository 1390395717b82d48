import { SeededRandom } from "lockstep/base";
import { anomaliesOf, check, type History, type Operation, type Workload } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { transactionLevels } from "../../src/check/level.js";
import { randomTransactions, type Micro } from "./random-transactions.js";
import { SimulatedDatabase, type Isolation } from "./simulated-database.js";

const isolations: readonly Isolation[] = [
  "snapshot",
  "parallel snapshots",
  "read committed",
  "read uncommitted",
];

function histories(workload: Workload): History[] {
  const random = Array.from({ length: 250 }, (_, seed) => {
    const clients = 1 + (seed % 4);
    const shape = { transactions: 3 + (seed % 5), clients, chaos: (seed % 5) / 5, trouble: (seed % 3) / 8 };
    return randomTransactions(seed, { workload, ...shape });
  });
  const simulated = Array.from({ length: 60 }, (_, seed) => {
    return new SimulatedDatabase(seed, isolations[seed % 4]!, workload).run(25, 5);
  });
  const isList = workload === "list-append";
  const more = isList ? random.map((each, seed) => scrambled(each, new SeededRandom(seed))) : [];
  return [...random, ...simulated, ...more];
}

/** Each key has an order of its own, of which each list is the beginning: so writes stand in circles. */
function scrambled({ operations }: History, random: SeededRandom): History {
  const places = new Map<unknown, number>();
  const placeOf = (value: unknown) => {
    if (!places.has(value)) places.set(value, random.next());
    return places.get(value)!;
  };
  const writes = operations.flatMap(microOf).filter(([action]) => action !== "r");
  const inOrder = [...writes].sort((a, b) => placeOf(a[2]) - placeOf(b[2]));
  const listOf = (key: string, size: number) =>
    inOrder.flatMap(([, each, value]) => (each === key ? [value] : [])).slice(0, size);
  const read = ([action, key, value]: Micro): Micro =>
    action === "r" ? [action, key, listOf(key, (value as unknown[]).length)] : [action, key, value];
  return {
    operations: operations.map((each) => {
      return each.outcome === "ok" ? { ...each, result: microOf(each).map(read) } : each;
    }),
  };
}

/**
 * The operations, with a stranger for each value that they read and nobody of them wrote: who wrote nothing
 * else, and is as good as any. So they do not break a promise only because others are left out.
 */
function among(history: History, operations: readonly Operation[]): History {
  const others = history.operations.filter((each) => !operations.includes(each)).flatMap(microOf);
  const read = new Set(operations.flatMap(microOf).flatMap(valuesRead));
  const unwritten = others.filter(
    ([action, key, value]) => action !== "r" && read.has(`${key} ${String(value)}`),
  );
  const strangers = unwritten.map((micro, at): Operation => {
    const call = { client: `stranger ${at}`, name: "txn", args: [[micro]], result: [micro] };
    return { ...call, outcome: "ok", invoked: at / unwritten.length, returned: 1_000_000 };
  });
  const later = operations.map((each) => {
    return { ...each, invoked: each.invoked + 1, returned: each.returned + 1 };
  });
  return { operations: [...strangers, ...later] };
}

function valuesRead([action, key, value]: Micro): string[] {
  return action === "r" ? [value].flat().map((each) => `${key} ${String(each)}`) : [];
}

function microOf({ outcome, args, result }: Operation): readonly Micro[] {
  return (outcome === "ok" ? result : args[0]) as readonly Micro[];
}

/** What was found, and is broken by the transactions of its proof alone, too. */
function proven(workload: Workload): Set<string> {
  const names = new Set<string>();
  for (const history of histories(workload)) {
    for (const level of transactionLevels) {
      const verdict = check(history).keeps(level, workload);
      if (verdict.is !== "violation") continue;
      for (const { name, operations, explanation } of verdict.anomalies) {
        // What has no name rests on all that is known, and on nobody's order that tells it.
        if (name.startsWith("not ")) continue;
        const alone = among(history, operations);
        const { is } = check(alone).keeps(level, workload);
        if (is !== "violation") {
          expect.fail(`${level}, ${name}: ${explanation}\n${JSON.stringify(alone.operations, null, 1)}`);
        }
        names.add(name);
      }
    }
  }
  return names;
}

describe("the transactions of an anomaly alone break the same level", () => {
  test.each([
    {
      workload: "list-append",
      names: ["G0", "G1a", "dirty update", "incompatible order", "causality violation", "G-monotonic"],
    },
    { workload: "rw-register", names: ["G1a", "cyclic versions", "causality violation", "G-monotonic"] },
  ] as const)("$workload", ({ workload, names }) => {
    const found = [...proven(workload)];
    expect(found).toEqual(expect.arrayContaining([...names, "G1c", "lost update", "long fork", "G2-item"]));
    expect(found.length).toBeGreaterThan(20);
  });
});

describe("what an edge rests on", () => {
  const history = (...done: Micro[][]): History => ({
    operations: done.map((result, client) => {
      const times = { invoked: client, returned: 10 + client };
      return { client: "abcdefg"[client]!, name: "txn", args: [result], result, outcome: "ok", ...times };
    }),
  });
  const reasonsIn = (wrong: History, workload: Workload, name: string) =>
    anomaliesOf(wrong, workload)
      .find((each) => each.name === name)
      ?.cycle?.map(({ because }) => because);

  test("a list that holds both", () => {
    const lists: Micro[][] = [[["append", "x", 1]], [["r", "x", []]], [["r", "x", [1, 2]]]];
    lists[1]!.push(["append", "x", 2]);
    expect(reasonsIn(history(...lists), "list-append", "G-single")).toEqual([
      'to "x" a appended 1, and then b 2, as c\'s r("x") → [1,2] shows',
      'b\'s r("x") → [] did not see 1, which a appended',
    ]);
  });

  test("a long list, of which only a little counts", () => {
    const values = Array.from({ length: 20 }, (_, at) => at + 10);
    const others = values.map((value): Micro => ["append", "x", value]);
    const wrong = history(
      [["append", "x", 1]],
      [
        ["r", "x", []],
        ["append", "x", 2],
      ],
      others,
      [["r", "x", [1, 2, ...values]]],
    );
    expect(reasonsIn(wrong, "list-append", "G-single")).toContain(
      'to "x" a appended 1, and then b 2, as d\'s r("x") → [1,2,"…"] shows',
    );
  });

  test("a list that does not hold the later one yet", () => {
    const wrong = history(
      [
        ["append", "x", 1],
        ["append", "y", 1],
      ],
      [
        ["r", "y", []],
        ["append", "x", 2],
      ],
      [["r", "x", [1]]],
    );
    expect(reasonsIn(wrong, "list-append", "G-single")).toContain(
      'to "x" a appended 1, and then b 2, which c\'s r("x") → [1] does not hold yet',
    );
  });

  test("who saw that one version is newer than another", () => {
    const wrong = history(
      [
        ["w", "x", 1],
        ["w", "y", 1],
      ],
      [
        ["w", "x", 2],
        ["w", "z", 5],
      ],
      [
        ["r", "x", 2],
        ["r", "y", 1],
      ],
      [
        ["r", "x", 1],
        ["r", "v", 6],
      ],
      [
        ["r", "z", 5],
        ["w", "v", 6],
      ],
    );
    expect(reasonsIn(wrong, "rw-register", "G-single")).toContain(
      'd\'s r("x") → 1 did not see 2, which b wrote; ' +
        "that is newer than what a wrote, as c saw it, who saw both",
    );
  });
});
