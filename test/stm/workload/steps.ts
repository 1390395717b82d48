// The blocks of the workloads are written once, and run at once or with an await wherever there is something
// to wait for.
import { isPromise } from "node:util/types";

/** It yields what may be a promise, and is given what that came to. */
export type Steps<T> = Generator<unknown, T>;

/** What `value` comes to, for the one who runs the steps to find out. */
export function* settled<T>(value: T | Promise<T>): Steps<T> {
  return (yield value) as T;
}

/** Runs all of it in this turn; nothing in it may be a promise. */
export function runAtOnce<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (!step.done) {
    if (isPromise(step.value)) throw new Error("there is something to wait for where nothing may be");
    step = steps.next(step.value);
  }
  return step.value;
}

/** Awaits the promises, and nothing else: what is known at once costs no turn. */
export async function runAwaiting<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    if (!isPromise(step.value)) {
      step = steps.next(step.value);
      continue;
    }
    let value: unknown;
    try {
      value = await step.value;
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(value);
  }
  return step.value;
}
