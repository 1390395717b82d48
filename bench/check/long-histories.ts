// Long histories of one key, of which every answer is right, for the shortcuts to judge.
import { check, queue, register, set, stack, type Model } from "lockstep/check";
import { SeededRandom } from "lockstep/base";
import {
  randomHistory,
  toyQueue,
  toyRegister,
  toySet,
  toyStack,
  type Toy,
} from "../../test/check/random-histories.js";
import type { Subjects, Workloads } from "../apart.js";

export const clients = 50;
export const short = 10_000;
export const long = 1_000_000;

const objects: Record<string, () => readonly [model: Model, toy: Toy]> = {
  register: () => [register(), toyRegister()],
  queue: () => [queue(), toyQueue()],
  stack: () => [stack(), toyStack()],
  set: () => [set(), toySet()],
};

export const names = Object.keys(objects);

/** Milliseconds, and by how many megabytes the process grew beyond what the history made it need. */
export const subjects: Subjects = Object.fromEntries(
  names.flatMap((name) => [
    [`${name} ${short}`, () => workloads(name, short)],
    [`${name} ${long}`, () => workloads(name, long)],
  ]),
);

function workloads(name: string, operations: number): Workloads {
  const [model, toy] = objects[name]!();
  const history = { operations: randomHistory(new SeededRandom(1), toy, { operations, clients }) };
  const maxRss = () => process.resourceUsage().maxRSS / 1024;
  const before = maxRss();
  const judge = () => {
    const start = performance.now();
    const { is } = check(history).linearizable(model);
    if (is !== "valid") throw new Error(`${name}: all answers are right, and the verdict is ${is}`);
    return performance.now() - start;
  };
  // So that what is measured is compiled: a short history is judged too fast for that.
  for (let round = 0; round < long / operations / 5; round++) judge();
  return { ms: judge, grownMb: () => maxRss() - before };
}
