import { alternate } from "./alternate.js";
import { Worker } from "./processes.js";

/** What is measured of a subject, by name; a figure each. They run in order, one after the other. */
export type Workloads = Record<string, () => number | Promise<number>>;

/** What a module for {@link measureApart} exports as `subjects`, by name; they may be told a place. */
export type Subjects = Record<string, (place: string) => Workloads | Promise<Workloads>>;

/** One round of one subject: its figures by workload. */
export type Round = Record<string, number>;

/** What the compiler makes of the code differs from process to process, by some percent. */
const generationsUsual = 2;
const roundsEach = 3;
export const rounds = generationsUsual * roundsEach;

interface Apart {
  /** Node's own, for each process. */
  readonly flags?: readonly string[];
  /** What the subjects are told. */
  readonly place?: string;
  /** More of them tell smaller differences. */
  readonly generations?: number;
}

/**
 * Measures each subject in a process of its own, by turns, and in the next generation all of them again in
 * new ones. In one process the first subject would spoil the compiler's guesses for those that follow it.
 */
export async function measureApart(
  module: string,
  names: readonly string[],
  { flags = [], place = "", generations = generationsUsual }: Apart = {},
): Promise<Map<string, Round[]>> {
  const all = new Map<string, Round[]>(names.map((name) => [name, []]));
  for (let generation = 0; generation < generations; generation++) {
    const subjects = await Promise.all(
      names.map(async (name) => {
        const worker = new Worker("apart-worker.ts", [module, name, place], flags);
        await worker.answer();
        const measure = () => {
          worker.tell({ measure: name });
          return worker.answer<Round>();
        };
        return { name, worker, measure };
      }),
    );
    const results = await alternate(roundsEach, subjects);
    for (const { name, worker } of subjects) {
      all.get(name)!.push(...results.get(name)!);
      await worker.end();
    }
  }
  return all;
}
