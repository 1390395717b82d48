import { SeededRandom } from "lockstep/base";
import { check, type History, type Operation, type OperationLevel } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { operationLevels } from "../../src/check/level.js";
import { casRegister } from "../../src/check/objects/cas-register.js";
import { accessHistory } from "./access-history.js";
import { replicatedHistory } from "./replicated-histories.js";
import { tinyHistory } from "./tiny-history.js";

const levels = operationLevels.slice(2);

/** How often each level was broken, and the proof alone broke it, too. */
function judged(histories: Iterable<History>): Map<OperationLevel, number> {
  const broken = new Map<OperationLevel, number>(levels.map((level) => [level, 0]));
  for (const history of histories) {
    for (const level of levels) {
      const proof = proofOf(history, level);
      if (!proof) continue;
      const alone = check({ operations: proof }).keeps(level, casRegister());
      expect({ level, is: alone.is, proof, history }).toEqual({ level, is: "violation", proof, history });
      broken.set(level, broken.get(level)! + 1);
    }
  }
  return broken;
}

function proofOf(history: History, level: OperationLevel): readonly Operation[] | undefined {
  const verdict = check(history).keeps(level, casRegister());
  return verdict.is === "violation" ? verdict.anomalies[0].operations : undefined;
}

// Where a value was written twice, what is wrong depends on which of the writes was read.
describe("the operations of an anomaly alone break the same level", () => {
  test.each([
    { title: "one thing at a time", overlaps: false },
    { title: "several at once", overlaps: true },
  ])("tiny histories: $title", ({ overlaps }) => {
    const seeds = Array.from({ length: 1_500 }, (_, seed) => seed);
    const broken = judged(
      seeds.map((seed) => ({ operations: tinyHistory(new SeededRandom(seed), overlaps, 0, 10) })),
    );
    for (const level of levels) expect(broken.get(level), level).toBeGreaterThan(100);
  });

  test.each(["causal", "by writer", "any"] as const)("stores with copies: %s", (delivery) => {
    const shape = { operations: 60, clients: 4, keys: 3, arrivals: 2 };
    const seeds = Array.from({ length: 60 }, (_, seed) => seed);
    judged(
      seeds.map((seed) => ({
        operations: replicatedHistory(new SeededRandom(seed), { delivery, wins: "last", hops: 0.1 }, shape),
      })),
    );
  });

  test.each([
    {
      level: "monotonic-reads",
      text: `a write x 3
             a read x 3
             a read x nothing`,
    },
    {
      level: "read-your-writes",
      text: `a write x 1
             a write x 2
             a write y 3
             b read y 3
             b read x 2
             b write x 4
             b read x 1`,
    },
    {
      level: "writes-follow-reads",
      text: `d cas x nothing 1
             d read x 1
             d write x 2
             c read x 2
             c read x 1`,
    },
    {
      level: "writes-follow-reads",
      text: `d cas x nothing 1
             d read x 1
             d write y 2
             c read y 2
             c read x nothing`,
    },
  ] as const)("$level: $text", ({ level, text }) => {
    expect(judged([{ operations: accessHistory(text) }]).get(level)).toBe(1);
  });
});

function overlapping(client: string, pairs: readonly (readonly [number, number])[]): Operation[] {
  return pairs.map(([seen, value], at) => {
    const args = ["x", seen, value];
    const times = { invoked: at, returned: pairs.length + at };
    return { client, name: "cas", args, result: true, outcome: "ok", ...times };
  });
}

function thenRead(operations: readonly Operation[], value: number): Operation[] {
  const invoked = operations.at(-1)!.returned + 1;
  const read = { client: "a", name: "read", args: ["x"], result: value, outcome: "ok" } as const;
  return [...operations, { ...read, invoked, returned: invoked + 1 }];
}

describe("a client that does much at once", () => {
  test("each of which saw the one before", () => {
    const chain = Array.from({ length: 10_000 }, (_, at) => [at, at + 1] as const);
    const operations = thenRead(thenRead(overlapping("a", chain), 10_000), 5_000);
    const verdict = check({ operations }).keeps("read-your-writes", casRegister({ init: 0 }));
    expect(verdict.is).toBe("violation");
  });

  test("and sees in a circle", () => {
    const own = overlapping("a", [
      [1, 2],
      [2, 1],
    ]);
    const other = { client: "b", name: "write", args: ["x", 9], result: undefined, outcome: "ok" } as const;
    const operations = thenRead([...own, { ...other, invoked: 4, returned: 5 }], 9);
    expect(check({ operations }).keeps("read-your-writes", casRegister()).is).toBe("unknown");
  });
});
