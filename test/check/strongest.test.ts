import { SeededRandom } from "lockstep/base";
import { check, type History, type Level, type Operation, type OperationLevel } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { isImpliedBy, operationLevels, transactionLevels } from "../../src/check/level.js";
import { counter } from "../../src/check/objects/counter.js";
import { register } from "../../src/check/objects/register.js";
import { phenomena, rulesOut } from "../../src/check/transactions/phenomena.js";
import { accessHistory } from "./access-history.js";
import { randomHistory, toyRegister } from "./random-histories.js";
import { replicatedHistory } from "./replicated-histories.js";
import { keepsByTrial } from "./session-oracle.js";

const strongestOf = (operations: readonly Operation[]) => check({ operations }).strongest(register());

describe("which promises follow from which", () => {
  test("none stands before one that is stronger", () => {
    for (const [levels, about] of [
      [operationLevels, "operations"],
      [transactionLevels, "transactions"],
    ] as const) {
      levels.forEach((later, index) => {
        expect(levels.slice(0, index + 1).some((level) => isImpliedBy(level, later, about))).toBe(false);
      });
    }
  });

  test("convergence follows from nothing but linearizable", () => {
    const stronger = operationLevels.filter((level) => isImpliedBy("eventual", level, "operations"));
    expect(stronger).toEqual(["linearizable"]);
  });

  test("of transactions: what rules out all that the weaker one does", () => {
    for (const weaker of transactionLevels) {
      for (const stronger of transactionLevels) {
        if (!isImpliedBy(weaker, stronger, "transactions")) continue;
        for (const each of phenomena) {
          if (rulesOut(each, weaker)) expect(rulesOut(each, stronger), `${each} ${stronger}`).toBe(true);
        }
      }
    }
  });

  test("of random histories: all that follows from what is kept is kept", () => {
    const kept = new Map<Level, number>();
    for (let seed = 0; seed < 250; seed++) {
      const random = new SeededRandom(seed);
      const shape = { operations: 7, clients: 3, faults: random.chance(0.3) ? 0 : 0.3, lost: 0.05 };
      const history = withKey(randomHistory(random, toyRegister(), shape));
      const judged = check({ operations: history });
      const isKept = (level: OperationLevel) => judged.keeps(level, register()).is === "valid";
      const levels = operationLevels.filter(isKept);
      for (const level of operationLevels) {
        expect(`${seed} ${level} ${levels.includes(level)}`).toBe(
          `${seed} ${level} ${keepsByTrial(level, history)}`,
        );
        if (levels.includes(level)) kept.set(level, (kept.get(level) ?? 0) + 1);
        for (const stronger of levels) {
          if (isImpliedBy(level, stronger, "operations")) expect(levels).toContain(level);
        }
      }
    }
    for (const level of operationLevels) expect(kept.get(level), level).toBeGreaterThan(50);
  });
});

describe("the strongest", () => {
  test("of a history that keeps everything", () => {
    const found = strongestOf(
      accessHistory(`a write x 1
                                             b read x 1`),
    );
    expect(found.level).toBe("linearizable");
    expect(found.next).toBeUndefined();
    expect([...found.verdicts.keys()]).toEqual(["linearizable"]);
  });

  test.each<{ level: Level | undefined; next: Level; name: string; text: string }>([
    {
      level: "sequential",
      next: "linearizable",
      name: "stale read",
      text: `a write x 1
             b read x nothing`,
    },
    {
      level: "causal+",
      next: "sequential",
      name: "not sequential",
      text: `a write x 1
             a read y nothing
             b write y 2
             b read x nothing`,
    },
    {
      level: "causal",
      next: "causal+",
      name: "CyclicCF",
      text: `a write x 1
             b write x 2
             a read x 2
             b read x 1`,
    },
    {
      level: "session",
      next: "causal",
      name: "WriteCOInitRead",
      text: `a write x 1
             a write y 2
             b read y 2
             b write z 3
             c read z 3
             c read x nothing`,
    },
    {
      level: "pram",
      next: "session",
      name: "writes follow reads",
      text: `a write x 1
             b read x 1
             b write y 2
             c read y 2
             c read x nothing`,
    },
    {
      level: "writes-follow-reads",
      next: "session",
      name: "read your writes",
      text: `a write x 1
             a read x nothing`,
    },
    { level: undefined, next: "eventual", name: "ThinAirRead", text: "a read x 7" },
  ])("$level, and not $next: $name", ({ level, next, name, text }) => {
    const found = strongestOf(accessHistory(text));
    expect(found.level).toBe(level);
    expect(found.next?.level).toBe(next);
    expect(found.next?.is === "violation" && found.next.anomalies[0].name).toBe(name);
  });

  test("of an object that is not read and written: two levels only", () => {
    const operations: Operation[] = [
      { client: "a", name: "add", args: [1], result: undefined, outcome: "ok", invoked: 0, returned: 1 },
      { client: "b", name: "read", args: [], result: 0, outcome: "ok", invoked: 2, returned: 3 },
    ];
    const found = check({ operations }).strongest(counter());
    expect(found.level).toBe("sequential");
    expect([...found.verdicts.keys()]).toEqual(["linearizable", "sequential"]);
  });

  test("what nobody knows does not count as kept", () => {
    const history: History = { operations: accessHistory("a write x 1"), realTime: false };
    const found = check(history).strongest(register());
    expect(found.level).toBe("sequential");
    expect(found.next?.is).toBe("unknown");
    expect(found.verdicts.get("eventual")?.is).toBe("unknown");
  });

  test("the counterexample to the next is as short as can be", () => {
    const store = { delivery: "causal", wins: "newest", settles: true } as const;
    let broken = 0;
    for (let seed = 0; seed < 20; seed++) {
      const shape = { operations: 24, clients: 3, keys: 2, arrivals: 3 };
      const { next } = strongestOf(replicatedHistory(new SeededRandom(seed), store, shape));
      if (next?.is !== "violation" || next.level !== "linearizable") continue;
      broken++;
      const { operations } = next.anomalies[0];
      expect(check({ operations }).linearizable(register()).is).toBe("violation");
      expect(operations.length).toBeLessThanOrEqual(3);
    }
    expect(broken).toBeGreaterThan(3);
  });
});

/** The register's calls name no key; the oracle wants one. */
function withKey(operations: readonly Operation[]): Operation[] {
  return operations.map((operation) => ({ ...operation, args: ["x", ...operation.args] }));
}
