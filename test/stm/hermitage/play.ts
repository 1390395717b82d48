import type { Outcome } from "./anomalies.js";
import { stepsOf, type Rows, type Step } from "./script.js";

/** What a script is played on; it holds the two rows that every script begins with. */
export interface Stage {
  begin(readOnly: boolean): Transaction;
  /** Resolves when each of these transactions is done with its step, or waits for another. */
  settled(busy: () => readonly Transaction[]): Promise<void>;
  rows(): Promise<Rows>;
}

export interface Transaction {
  /** Gives what the step sees. Rejects with `Aborted` if the transaction cannot go on. */
  run(step: Step): Promise<Rows>;
}

/** A transaction was aborted, though its script did not ask for it. */
export class Aborted extends Error {}

/** What came of a script, and how. */
export interface Played extends Outcome {
  /** Whether a step had to wait for another transaction. */
  readonly waited: boolean;
  /** Whether a transaction was aborted, though its script did not ask for it. */
  readonly aborted: boolean;
}

/** Lets the steps go one at a time. What a transaction has to do while it waits is done when it goes on. */
export async function play(script: string, stage: Stage): Promise<Played> {
  const actors = new Map<string, Actor>();
  let waited = false;
  for (const step of stepsOf(script)) {
    const actor = actors.get(step.by) ?? new Actor(stage);
    actors.set(step.by, actor);
    actor.take(step);
    const busy = () => [...actors.values()].flatMap(({ working }) => working ?? []);
    await stage.settled(busy);
    waited ||= busy().length > 0;
  }
  const all = [...actors.values()];
  const fault = all.find(({ fault }) => fault)?.fault;
  if (fault) throw fault;
  if (!all.every(({ fate }) => fate)) throw new Error(`not all of these transactions end:\n${script}`);
  const seen = all.filter(({ fate }) => fate === "commit").flatMap(({ saw }) => saw);
  return {
    saw: Object.fromEntries(seen.map(([name, rows]) => [name, textOf(rows)])),
    rows: textOf(await stage.rows()),
    waited,
    aborted: all.some(({ fate }) => fate === "aborted"),
  };
}

/** Plays the steps of one transaction. */
class Actor {
  readonly #stage: Stage;
  readonly #steps: Step[] = [];
  #transaction: Transaction | undefined;
  /** The transaction whose step is not done yet. */
  working: Transaction | undefined;
  fate: "commit" | "abort" | "aborted" | undefined;
  fault: Error | undefined;
  readonly saw: [name: string, rows: Rows][] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  take(step: Step): void {
    this.#steps.push(step);
    if (!this.working) void this.#work();
  }

  async #work(): Promise<void> {
    try {
      for (let step; !this.fate && (step = this.#steps.shift());) await this.#do(step);
    } catch (error) {
      if (error instanceof Aborted) this.fate = "aborted";
      else this.fault = error as Error;
    } finally {
      this.working = undefined;
    }
  }

  async #do(step: Step): Promise<void> {
    if (step.verb.startsWith("begin")) {
      this.#transaction = this.#stage.begin(step.verb === "begin read only");
    }
    this.working = this.#transaction!;
    const rows = await this.working.run(step);
    if (step.as !== undefined) this.saw.push([step.as, rows]);
    if (step.verb === "commit" || step.verb === "abort") this.fate = step.verb;
  }
}

function textOf(rows: Rows): string {
  return rows.map(([key, value]) => `${key}=${value}`).join(" ");
}
