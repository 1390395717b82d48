// A search keeps to its time and to its room, whatever the history is like.
import { ManualClock } from "lockstep/base";
import { check, counter, mutex, queue, refused, type Model, type Operation } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { Budget } from "../../src/check/budget.js";
import { linearizable } from "../../src/check/linearizability/linearizable.js";
import { sequential } from "../../src/check/linearizability/sequential.js";
import { Transitions } from "../../src/check/linearizability/transitions.js";
import { oneByOne, told, type Told } from "./told-history.js";

const searchedMutex = { ...mutex(), shortcut: () => undefined };

/** Counts in large states. */
const heavy: Model<string> = {
  name: "heavy counter",
  init: "",
  step: (state, { args }) =>
    args[0] === state.length >> 22 ? state.padEnd(state.length + 2 ** 22) : refused,
};

/** So many calls, all of them open at once. */
function openAtOnce(count: number, call: (index: number) => Partial<Operation>): Operation[] {
  return Array.from({ length: count }, (_, index) => ({
    client: index,
    name: "acquire",
    args: [],
    result: undefined,
    outcome: "ok",
    invoked: index,
    returned: count + index,
    ...call(index),
  }));
}

describe("between two looks at the clock there is little work", () => {
  /** The most steps of the model between two looks, of so many. */
  function mostStepsAtOnce(judge: (model: Model, budget: Budget) => void, model: Model): number {
    let [steps, most, looks] = [0, 0, 0];
    const now = () => {
      most = Math.max(most, steps);
      steps = 0;
      return looks++;
    };
    const counted: Model = {
      ...model,
      step(state, operation) {
        steps++;
        return model.step(state, operation);
      },
    };
    judge(counted, new Budget({ timeoutMs: 200 }, Object.assign(new ManualClock(), { now })));
    expect(looks).toBeGreaterThan(10);
    return Math.max(most, steps);
  }

  test("however many calls are open", () => {
    const operations = openAtOnce(600, () => ({}));
    const most = mostStepsAtOnce(
      (model, budget) => linearizable({ operations }, model, budget),
      searchedMutex,
    );
    expect(most).toBeLessThan(4_000);
  });

  test("however many calls of one client are open", () => {
    const operations = openAtOnce(600, (index) => ({ client: index % 2 }));
    const most = mostStepsAtOnce((model, budget) => sequential({ operations }, model, budget), searchedMutex);
    expect(most).toBeLessThan(12_000);
  });

  test("however large the states are", () => {
    const values = Array.from(
      { length: 2_000 },
      (_, index) => `${index % 2 ? "a" : "b"} enqueue ${index % 7}`,
    );
    const { operations } = oneByOne(...values, "a dequeue → 5");
    const model = { ...queue(), shortcut: () => undefined };
    const most = mostStepsAtOnce((each, budget) => linearizable({ operations }, each, budget), model);
    expect(most).toBeLessThan(600);
  });
});

describe("what does not fit into memory is given up", () => {
  test("large states are few", () => {
    const history = oneByOne(...[0, 1, 2, 3, 4].map((count) => `a add ${count}`));
    for (const level of ["linearizable", "sequential"] as const) {
      const verdict = check(history).keeps(level, heavy);
      expect(verdict).toMatchObject({ is: "unknown", level, of: 5 });
      if (verdict.is === "unknown") expect(verdict.reason).toMatch(/fit into memory/);
    }
  });
});

test("what was forgotten is asked again", () => {
  const count = 1_600;
  let asked = 0;
  const sums: Model<number> = {
    name: "sums",
    init: 0,
    step(sum, { args }) {
      asked++;
      return (sum + (args[0] as number)) % count;
    },
    stateIdentity: (sum) => sum,
  };
  const operations = openAtOnce(count, (index) => ({ args: [index] }));
  const transitions = new Transitions(sums, operations);
  // Known by their sums, in whatever order they were met.
  const states = operations.map((_, index) => transitions.step(0, index));
  let wrong = 0;
  let words = 0;
  for (let round = 0; round < 2; round++) {
    for (let from = 0; from < count; from += round + 1) {
      for (let call = 0; call < count; call++) {
        if (transitions.step(states[from]!, call) !== states[(from + call) % count]) wrong++;
      }
      words = Math.max(words, transitions.words);
    }
  }
  expect(wrong).toBe(0);
  expect(asked).toBeGreaterThan(count * count);
  expect(words).toBeLessThan(2 ** 24);
});

test("what takes too long to make smaller is told of all that it takes to prove", () => {
  const operations = openAtOnce(15, (index) => ({ name: "add", args: [2 ** index] }));
  operations.push({ ...operations[0]!, name: "read", args: [], result: 0.5, invoked: 30, returned: 31 });
  const verdict = check({ operations }).linearizable(counter());
  expect(verdict).toMatchObject({ is: "violation", anomalies: [{ operations }] });
});

test("a proof that is not easily made smaller is one still", () => {
  const lost = [10, 11, 12, 13, 14].map((value, index): Told => [`a${value} enqueue ${value} → ?`, index]);
  const history = told(
    ...lost,
    ["e enqueue 15", 5, 7],
    ["f dequeue → ?", 6],
    ["e enqueue 16", 8, 9],
    ["g dequeue → null", 10, 12],
    ["e enqueue 17 → ?", 11],
  );
  const verdict = check(history).linearizable(queue());
  if (verdict.is !== "violation") throw new Error(verdict.is);
  const { operations } = verdict.anomalies[0];
  expect(check({ operations }).linearizable(queue()).is).toBe("violation");
});
