import { SeededRandom } from "lockstep/base";
import { check, refused, type Anomaly, type Model, type Operation } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { identity } from "../../src/check/identity.js";
import { BreadthFirst } from "../../src/check/linearizability/breadth-first.js";
import { DepthFirst } from "../../src/check/linearizability/depth-first.js";
import { keyParts } from "../../src/check/linearizability/key-parts.js";
import { Part } from "../../src/check/linearizability/part.js";
import { isLinearizable } from "./brute-force.js";
import { randomHistory } from "./random-histories.js";
import { lockModels, smallObjects } from "./small-objects.js";
import { randomLocking } from "./random-locking.js";

const runs = 1_500;

describe("both searches say what trying all orders says", () => {
  for (const [name, { model, toy }] of Object.entries(smallObjects)) {
    test(name, () => {
      compare(model, (random) =>
        randomHistory(random, toy(), {
          operations: 1 + random.below(8),
          clients: 2 + random.below(4),
          faults: random.chance(0.7) ? 0.3 : 0,
          lost: random.chance(0.5) ? 0.3 : 0,
          failed: random.chance(0.2) ? 0.2 : 0,
          ties: random.chance(0.3) ? 0.5 : 0,
        }),
      );
    });
  }
  for (const [name, model] of Object.entries(lockModels)) {
    test(name, () => compare(model, (random) => randomLocking(random, name === "fenced-mutex")));
  }
});

/** All verdicts are the same, of histories of which many keep the promise and many break it. */
function compare(model: Model, histories: (random: SeededRandom) => Operation[]): void {
  const plain: Model = { name: model.name, init: model.init, step: (state, call) => model.step(state, call) };
  let valid = 0;
  let judged = 0;
  for (let seed = 0; seed < runs; seed++) {
    const history = histories(new SeededRandom(seed));
    for (const { operations } of keyParts(history, model)) {
      const expected = bruteForce(operations, model);
      judged++;
      if (expected) valid++;
      const part = new Part(operations, model);
      const found = {
        depthFirst: new DepthFirst(part).run(Infinity),
        breadthFirst: new BreadthFirst(part).run(Infinity),
        // Without knowing anything of the object but its steps.
        plain: new DepthFirst(new Part(operations, plain)).run(Infinity),
        plainBreadthFirst: new BreadthFirst(new Part(operations, plain)).run(Infinity),
      };
      const same = {
        depthFirst: expected,
        breadthFirst: expected,
        plain: expected,
        plainBreadthFirst: expected,
      };
      expect(found, `seed ${seed}`).toEqual(same);
    }
    const verdict = check({ operations: history }).linearizable(model);
    if (verdict.is === "violation") {
      checkAttempt(verdict.anomalies[0].attempt?.order, model, `seed ${seed}`);
      checkProof(history, verdict.anomalies[0], model, `seed ${seed}`);
    }
  }
  // Of the two there are plenty.
  expect(valid).toBeGreaterThan(judged / 6);
  expect(valid).toBeLessThan((judged * 15) / 16);
}

function bruteForce(operations: readonly Operation[], model: Model): boolean {
  // Its states are compared as JSON, so each goes along with what tells it from others.
  return isLinearizable(operations, ([state = model.init], operation) => {
    const after = model.step(state, operation);
    return after === refused ? undefined : [after, String(identity(after))];
  });
}

/**
 * The operations that a violation is told of break the promise alone. If a search has found them they do so
 * whatever the others did; others have told of it in words, as of a value that nobody took out.
 */
function checkProof(
  history: readonly Operation[],
  { operations: told, attempt }: Anomaly,
  model: Model,
  what: string,
): void {
  expect(bruteForce(told, model), what).toBe(false);
  if (!attempt) return;
  const others = history.map((operation): Operation => {
    if (told.includes(operation) || operation.outcome === "fail") return operation;
    return { ...operation, result: undefined, outcome: "unknown", returned: Infinity };
  });
  const isPossible = keyParts(others, model).every(({ operations }) => bruteForce(operations, model));
  expect(isPossible, what).toBe(false);
}

/** The order that a violation shows is possible, as far as it goes. */
function checkAttempt(order: readonly Operation[] | undefined, model: Model, what: string): void {
  if (!order) return;
  let state = model.init;
  for (const [place, operation] of order.entries()) {
    const next = model.step(state, operation);
    expect(next, what).not.toBe(refused);
    if (next !== refused) state = next;
    const tooLate = order.slice(place + 1).filter((later) => later.returned < operation.invoked);
    expect(tooLate, what).toEqual([]);
  }
}
