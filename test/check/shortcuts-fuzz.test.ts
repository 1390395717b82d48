// Shortcuts against trying all orders, and against the search, on small random histories.
import { SeededRandom } from "lockstep/base";
import { check, queue, register, set, stack, type Model, type Operation } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { isLinearizable, steps, type Step } from "./brute-force.js";
import {
  randomHistory,
  toyQueue,
  toyRegister,
  toySet,
  toyStack,
  type Shape,
  type Toy,
} from "./random-histories.js";

const runs = 14_500;

interface Case {
  readonly model: Model;
  readonly toy: () => Toy;
  readonly step: Step;
  /** How many of a hundred histories the shortcut decides at least. */
  readonly decided: number;
}

const cases: Record<string, Case> = {
  register: { model: register(), toy: () => toyRegister(), step: steps.register, decided: 100 },
  "register of repeated values": {
    model: register(),
    toy: () => toyRegister({ repeats: 0.2 }),
    step: steps.register,
    decided: 50,
  },
  queue: { model: queue(), toy: () => toyQueue(), step: steps.queue, decided: 95 },
  stack: { model: stack(), toy: () => toyStack(), step: steps.stack, decided: 95 },
  set: { model: set(), toy: () => toySet(), step: steps.set, decided: 100 },
  "set that says what it changed": {
    model: set(),
    toy: () => toySet({ talkative: true, repeats: 0.1 }),
    step: steps.set,
    decided: 90,
  },
  "set that grows": {
    model: set(),
    toy: () => toySet({ grows: true }),
    step: steps.set,
    decided: 100,
  },
};

describe("a shortcut says what trying all orders says", () => {
  for (const [name, { model, toy, step, decided }] of Object.entries(cases)) {
    test(name, () => {
      const counts = { valid: 0, violation: 0, undecided: 0 };
      for (let seed = 0; seed < runs; seed++) {
        const operations = randomHistory(new SeededRandom(seed), toy(), shapeOf(seed));
        const verdict = model.shortcut!(operations);
        const is = verdict === undefined ? "undecided" : verdict === "valid" ? "valid" : "violation";
        counts[is]++;
        if (verdict === undefined) continue;
        expect(is, `seed ${seed}`).toBe(isLinearizable(operations, step) ? "valid" : "violation");
        if (verdict !== "valid") checkWitness(verdict.operations, operations, step, `seed ${seed}`);
      }
      expect(counts.valid).toBeGreaterThan(runs * 0.3);
      expect(counts.violation).toBeGreaterThan(runs * 0.08);
      expect(counts.undecided).toBeLessThanOrEqual(runs * (1 - decided / 100));
    });
  }
});

/** The search alone; it must be asked less often, for it is slower to say the same. */
test("a shortcut says what the search says, of longer histories", () => {
  for (const [name, { model, toy }] of Object.entries(cases)) {
    const searched: Model = { ...model, shortcut: () => undefined };
    for (let seed = 0; seed < 60; seed++) {
      const shape = { ...shapeOf(seed), operations: 20, faults: seed % 2 === 0 ? 0 : 0.03 };
      const operations = randomHistory(new SeededRandom(seed), toy(), shape);
      const verdict = model.shortcut!(operations);
      if (verdict === undefined) continue;
      const expected = check({ operations }).linearizable(searched).is;
      expect(verdict === "valid" ? "valid" : "violation", `${name}, seed ${seed}`).toBe(expected);
    }
  }
});

/** All kinds of histories: with many faults and with none, with answers lost and with calls that fail. */
function shapeOf(seed: number): Shape {
  return {
    operations: 3 + (seed % 5),
    clients: 2 + (seed % 3),
    faults: [0, 0.1, 0.3][(seed % 7) % 3]!,
    lost: seed % 11 < 4 ? 0.2 : 0,
    failed: seed % 13 < 3 ? 0.2 : 0,
    ties: seed % 17 < 5 ? 0.5 : 0,
  };
}

/** The operations that an anomaly tells of are of the history, in order, and are no better alone. */
function checkWitness(
  told: readonly Operation[],
  operations: readonly Operation[],
  step: Step,
  seed: string,
): void {
  expect(told, seed).toEqual(operations.filter((operation) => told.includes(operation)));
  expect(isLinearizable(told, step), seed).toBe(false);
}
