import { SeededRandom } from "lockstep/base";
import { check, type History, type Operation, type OperationLevel } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { Budget } from "../../src/check/budget.js";
import { isImpliedBy, operationLevels } from "../../src/check/level.js";
import { casRegister } from "../../src/check/objects/cas-register.js";
import { register } from "../../src/check/objects/register.js";
import { AccessLog } from "../../src/check/sessions/access-log.js";
import { sessionLevelsOf, type SessionLevel } from "../../src/check/sessions/keeps-session-level.js";
import { KnownOrder } from "../../src/check/sessions/known-order.js";
import { findOverwritten } from "../../src/check/sessions/overwritten-read.js";
import { findSources } from "../../src/check/sessions/sources.js";
import { replicatedHistory, type ReplicatedShape, type Replication } from "./replicated-histories.js";
import { keepsByTrial } from "./session-oracle.js";
import { tinyHistory } from "./tiny-history.js";

const levels = operationLevels.slice(2) as readonly SessionLevel[];

describe("tiny histories, against trying everything", () => {
  test.each([
    { title: "one thing at a time", overlaps: false, repeats: 0 },
    { title: "several at once", overlaps: true, repeats: 0 },
    { title: "the same value twice", overlaps: false, repeats: 0.4 },
    { title: "all of it", overlaps: true, repeats: 0.2 },
  ])("$title", ({ overlaps, repeats }) => {
    const verdicts = new Map<string, number>();
    for (let seed = 0; seed < 1_200; seed++) {
      const operations = tinyHistory(new SeededRandom(seed), overlaps, repeats);
      const judge = sessionLevelsOf({ operations }, casRegister());
      for (const level of levels) {
        const { is } = judge(level, new Budget());
        verdicts.set(`${level} ${is}`, (verdicts.get(`${level} ${is}`) ?? 0) + 1);
        // Who does several things at once that see one another gets no answer.
        if (overlaps && is === "unknown") continue;
        expect(`${seed} ${level} ${is}`).toBe(
          `${seed} ${level} ${keepsByTrial(level, operations) ? "valid" : "violation"}`,
        );
      }
    }
    for (const level of levels) {
      expect(verdicts.get(`${level} valid`), level).toBeGreaterThan(100);
      expect(verdicts.get(`${level} violation`), level).toBeGreaterThan(100);
      expect(verdicts.get(`${level} unknown`) ?? 0, level).toBeLessThan(60);
    }
  });
});

interface Store {
  readonly title: string;
  readonly store: Replication;
  readonly shape: ReplicatedShape;
  readonly keeps: OperationLevel;
  readonly breaks: OperationLevel;
}

const small: ReplicatedShape = { operations: 24, clients: 3, keys: 2, arrivals: 2 };
const middling: ReplicatedShape = { operations: 60, clients: 4, keys: 3, arrivals: 2 };

const stores: readonly Store[] = [
  {
    title: "causal delivery, the newer wins",
    store: { delivery: "causal", wins: "newest" },
    shape: small,
    keeps: "causal+",
    breaks: "sequential",
  },
  {
    title: "causal delivery, the last to come wins",
    store: { delivery: "causal", wins: "last" },
    shape: middling,
    keeps: "causal",
    breaks: "causal+",
  },
  {
    title: "each writer's in turn",
    store: { delivery: "by writer", wins: "last" },
    shape: { operations: 200, clients: 4, keys: 2, arrivals: 4 },
    keeps: "pram",
    breaks: "writes-follow-reads",
  },
  {
    title: "as it comes",
    store: { delivery: "any", wins: "newest" },
    shape: { operations: 120, clients: 6, keys: 12, arrivals: 8 },
    keeps: "read-your-writes",
    breaks: "monotonic-writes",
  },
  {
    title: "as it comes, the newer wins, and clients change places",
    store: { delivery: "any", wins: "newest", hops: 0.3, settles: true },
    shape: middling,
    keeps: "eventual",
    breaks: "read-your-writes",
  },
];

describe.each(stores)("a store with copies: $title", ({ store, shape, keeps, breaks }) => {
  const histories = Array.from({ length: 100 }, (_, seed): History => {
    return { operations: replicatedHistory(new SeededRandom(seed), store, shape) };
  });

  test(`keeps ${keeps}, and what follows from it`, () => {
    for (const history of histories) {
      const followers = levels.filter((level) => isImpliedBy(level, keeps, "operations"));
      for (const level of [keeps, ...followers])
        expect(check(history).keeps(level, register()).is).toBe("valid");
    }
  });

  test(`now and then breaks ${breaks}, and all from which that follows`, () => {
    const broken = histories.filter(({ operations }) => !isKept(operations, breaks));
    expect(broken.length).toBeGreaterThan(10);
    for (const { operations } of broken) {
      for (const level of levels) {
        if (isImpliedBy(breaks, level, "operations")) expect(isKept(operations, level)).toBe(false);
      }
    }
  });
});

function isKept(operations: readonly Operation[], level: OperationLevel): boolean {
  const verdict = check({ operations }).keeps(level, register());
  expect(verdict.is).not.toBe("unknown");
  return verdict.is === "valid";
}

describe("a history that keeps causal, with one more read", () => {
  const valid = Array.from({ length: 30 }, (_, seed) => {
    const shape = { operations: 80, clients: 4, keys: 3, arrivals: 2 };
    return replicatedHistory(new SeededRandom(seed), { delivery: "causal", wins: "newest" }, shape);
  });

  test("of what the client has overwritten", () => {
    for (const operations of valid) {
      const [first, second] = operations.filter(({ client, name, args }) => {
        return client === 0 && name === "write" && args[0] === 0;
      });
      if (!second) continue;
      const more = withRead(operations, 0, 0, first!.args[1]);
      expect(isKept(more, "read-your-writes")).toBe(false);
      expect(isKept(more, "monotonic-reads") || isReadBy(operations, 0, second)).toBe(true);
    }
  });

  test("of nothing, where the client has seen something", () => {
    for (const operations of valid) {
      const read = operations.find(({ name, result }) => name === "read" && result !== null)!;
      const more = withRead(operations, read.client, read.args[0], null);
      expect(isKept(more, "monotonic-reads")).toBe(false);
      expect(isKept(more, "causal")).toBe(false);
    }
  });
});

function withRead(
  operations: readonly Operation[],
  client: unknown,
  key: unknown,
  result: unknown,
): Operation[] {
  const invoked = operations.at(-1)!.returned + 1;
  const read: Operation = {
    client: client as number,
    name: "read",
    args: [key],
    result,
    outcome: "ok",
    invoked,
    returned: invoked + 1,
  };
  return [...operations, read];
}

function isReadBy(operations: readonly Operation[], client: unknown, write: Operation): boolean {
  const later = operations.filter((each) => each.client === write.client && each.args[0] === write.args[0]);
  const written = later.filter(({ name }) => name === "write").map(({ args }) => args[1]);
  return operations.some(
    (each) => each.client === client && each.name === "read" && written.includes(each.result),
  );
}

describe("many clients", () => {
  test("without clocks the verdict is the same", () => {
    const verdicts = new Set<string>();
    for (let seed = 0; seed < 2_000; seed++) {
      const random = new SeededRandom(seed);
      const operations = tinyHistory(random, random.chance(0.5), 0);
      const log = new AccessLog({ operations }, casRegister());
      const sources = findSources(log);
      if ("explanation" in sources || sources.open.length > 0) continue;
      const known = new KnownOrder(log, sources.known);
      const sorted = known.inOrder();
      if ("circle" in sorted) continue;
      const finding = findOverwritten(known, sorted.order, "causal", new Budget());
      const verdict = sessionLevelsOf({ operations }, casRegister())("causal", new Budget());
      expect(`${seed} ${finding === "valid"}`).toBe(`${seed} ${verdict.is === "valid"}`);
      verdicts.add(verdict.is);
    }
    expect([...verdicts].sort()).toEqual(["valid", "violation"]);
  });

  test("more than there is room for clocks of", () => {
    const operations: Operation[] = [];
    const note = (client: number, name: string, key: number, value: number) => {
      const invoked = operations.length * 2;
      const [args, result] = name === "read" ? [[key], value] : [[key, value], undefined];
      operations.push({ client, name, args, result, outcome: "ok", invoked, returned: invoked + 1 });
    };
    for (let client = 0; client < 6_000; client++) {
      note(client, "write", client % 10, client);
      if (client > 100) note(client, "read", client % 10, client - 100);
    }
    expect(isKept(operations, "causal")).toBe(true);
    expect(isKept(operations, "causal+")).toBe(true);
    // Two more see two writes of the last clients in different orders.
    for (const [client, values] of [
      [-1, [5_988, 5_998]],
      [-2, [5_998, 5_988]],
    ] as const) {
      for (const value of values) note(client, "read", 8, value);
    }
    expect(isKept(operations, "causal")).toBe(true);
    expect(isKept(operations, "causal+")).toBe(false);
  });
});
