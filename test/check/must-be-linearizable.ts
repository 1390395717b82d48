// The judge of all that tests have written down.
import { check, type History, type Model } from "lockstep/check";
import { expect } from "vitest";

/** Fails, and says why, unless the history is one of the object. The note goes with it: a seed, say. */
export function mustBeLinearizable<State>(history: History, model: Model<State>, note = ""): void {
  const verdict = check(history).linearizable(model);
  if (verdict.is === "violation") expect.fail(`${note} ${verdict.anomalies[0].explanation}`);
  // Not even the reason of an unknown one.
  expect(verdict, note).toMatchObject({ is: "valid" });
}
