import { SeededRandom } from "lockstep/base";
import { check, queue, refused, register, type Model, type Operation } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { identity } from "../../src/check/identity.js";
import { randomLocking } from "./random-locking.js";
import { randomHistory } from "./random-histories.js";
import { lockModels, smallObjects } from "./small-objects.js";
import { oneByOne, told, type Told } from "./told-history.js";

const level = "sequential";

describe("sequential", () => {
  test("a client may be late, but not out of its own order", () => {
    const late = oneByOne("a write 1", "a write 2", "b read → null", "b read → 1", "b read → 2");
    expect(check(late).linearizable(register()).is).toBe("violation");
    expect(check(late).sequential(register())).toEqual({ is: "valid", level });
    const back = oneByOne("a write 1", "a write 2", "b read → 2", "b read → 1");
    const verdict = check(back).sequential(register());
    expect(verdict).toMatchObject({ is: "violation", level, anomalies: [{ name: "not sequential" }] });
    const own = oneByOne("a write 1", "a read → null");
    expect(check(own).sequential(register()).is).toBe("violation");
  });

  test("two clients do not agree on the order of two writes", () => {
    const split = oneByOne("a write 1", "b write 2", "c read → 1", "c read → 2", "d read → 2", "d read → 1");
    const verdict = check(split).sequential(register());
    if (verdict.is !== "violation") throw new Error(verdict.is);
    const [{ attempt, explanation }] = verdict.anomalies;
    expect(attempt?.stuck).not.toEqual([]);
    expect(new Set(attempt?.order).size).toBe(attempt?.order.length);
    for (const { operation } of attempt?.stuck ?? []) expect(operation.name).toBe("read");
    expect(explanation).toMatch(/No one order/);
  });

  test("each key may be right, and all together wrong", () => {
    const crossed = oneByOne("a write x 1", "b write y 1", "a read y → null", "b read x → null");
    for (const key of ["x", "y"]) {
      const operations = crossed.operations.filter(({ args }) => args[0] === key);
      expect(check({ operations }).sequential(register()).is).toBe("valid");
    }
    expect(check(crossed).sequential(register()).is).toBe("violation");
  });

  test("keys whose clients have nothing to do with each other are judged apart", () => {
    const late = ["a write x 1", "b read x → null", "c write y 1", "d read y → null"];
    expect(check(oneByOne(...late)).sequential(register()).is).toBe("valid");
    const verdict = check(oneByOne(...late, "d read y → 1", "d read y → null")).sequential(register());
    expect(verdict).toMatchObject({ is: "violation", anomalies: [{ key: "y" }] });
  });

  test("what is unknown may take effect after all else its client did, or never, but not before", () => {
    expect(check(oneByOne("a write 1 → ?", "b read → null")).sequential(register()).is).toBe("valid");
    const later = oneByOne("a write 1 → ?", "a read → null", "b read → 1", "a read → 1");
    expect(check(later).sequential(register()).is).toBe("valid");
    const before = oneByOne("a read → 1", "a write 1 → ?");
    expect(check(before).sequential(register()).is).toBe("violation");
  });

  test("what a client has open at the same time may be in any order", () => {
    const atOnce = told(["a write 1", 0, 2], ["a write 2", 1, 3], ["b read → 2", 4, 5], ["b read → 1", 6, 7]);
    expect(check(atOnce).sequential(register()).is).toBe("valid");
    const within: Told[] = [
      ["a write 1", 0, 5],
      ["a write 2", 1, 2],
      ["a read → 1", 3, 4],
    ];
    expect(check(told(...within, ["b read → null", 6, 7])).sequential(register()).is).toBe("valid");
  });

  test("a queue", () => {
    const late = oneByOne("a enqueue 1", "b dequeue → null", "b enqueue 2", "c dequeue → 2", "c dequeue → 1");
    expect(check(late).linearizable(queue()).is).toBe("violation");
    expect(check(late).sequential(queue()).is).toBe("valid");
    const twice = oneByOne("a enqueue 1", "b dequeue → 1", "c dequeue → 1");
    expect(check(twice).sequential(queue()).is).toBe("violation");
  });

  test("of an order that was made up, only each client's own counts", () => {
    const { operations } = oneByOne("a read → 1", "b write 1");
    const verdict = check({ operations, realTime: false }).linearizable(register());
    expect(verdict).toMatchObject({ is: "unknown", checked: 0, of: 2 });
    expect(check({ operations, realTime: false }).sequential(register()).is).toBe("valid");
  });
});

describe("it says what trying all orders says", () => {
  const {
    register: cell,
    "cas-register": cas,
    "keyed cas-register": keyed,
    kv,
    queue,
    counter,
  } = smallObjects;
  for (const [name, { model, toy }] of Object.entries({
    cell,
    cas,
    keyed,
    kv,
    queue,
    counter,
  } as typeof smallObjects)) {
    test(name, () => {
      compare(model, (random) =>
        randomHistory(random, toy(), {
          operations: 1 + random.below(7),
          clients: 2 + random.below(2),
          faults: random.chance(0.8) ? 0.5 : 0,
          lost: random.chance(0.3) ? 0.3 : 0,
          failed: random.chance(0.2) ? 0.2 : 0,
        }),
      );
    });
  }
  test("mutex", () => {
    compare(lockModels["mutex"]!, (random) => randomLocking(random, false).slice(0, 7));
  });
});

function compare(model: Model, histories: (random: SeededRandom) => Operation[]): void {
  const counts = { valid: 0, violation: 0, notEvenLinearizable: 0 };
  for (let seed = 0; seed < 1_000; seed++) {
    const operations = histories(new SeededRandom(seed));
    const verdict = check({ operations }).sequential(model);
    const expected = bruteForce(operations, model) ? "valid" : "violation";
    expect(verdict.is, `seed ${seed}`).toBe(expected);
    counts[expected]++;
    const isLinearizable = check({ operations }).linearizable(model).is === "valid";
    if (isLinearizable) expect(verdict.is).toBe("valid");
    else if (expected === "valid") counts.notEvenLinearizable++;
  }
  expect(counts.valid).toBeGreaterThan(200);
  expect(counts.violation).toBeGreaterThan(60);
  expect(counts.notEvenLinearizable).toBeGreaterThan(10);
}

/** Tries all orders, with the state of each key beside the others. */
function bruteForce(operations: readonly Operation[], model: Model): boolean {
  const happened = operations.filter(({ outcome }) => outcome !== "fail");
  const keyOf = (operation: Operation) => identity(model.partition?.(operation));
  const search = (left: readonly Operation[], states: ReadonlyMap<unknown, unknown>): boolean => {
    if (left.every(({ outcome }) => outcome === "unknown")) return true;
    return left.some((operation) => {
      const isLate = left.some(
        ({ client, returned }) => client === operation.client && returned < operation.invoked,
      );
      if (isLate) return false;
      const key = keyOf(operation);
      const after = model.step(states.has(key) ? states.get(key) : model.init, operation);
      if (after === refused) return false;
      return search(
        left.filter((other) => other !== operation),
        new Map(states).set(key, after),
      );
    });
  };
  return search(happened, new Map());
}
