import { LockstepError } from "../base/errors.js";
import { Permits } from "../sync/permits.js";
import type { Finding, FindingKind } from "./finding.js";
import type { Run } from "./run.js";
import type { Task } from "./task.js";

/** A task that cannot go on, and what it waits for. */
export interface Wait {
  readonly task: Task;
  readonly what: string | (() => string);
  /** What it waits at: a lock's permits, a queue; nothing when it is the answer of an effect. */
  readonly from: object | undefined;
  /** After how many steps it began. */
  readonly since: number;
}

/** What it means that nobody can go on. */
export function stuckFinding(run: Run): Finding {
  const waits = [...run.waits];
  const { kind, meaning } = meaningOf(run, waits);
  const lines = [...waits.map((wait) => lineOf(run, wait)), ...ownPromiseLines(run, waits)];
  const error = new LockstepError("deadlock", `${meaning}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
  return { kind, error, task: waits[0]?.task ?? run.current };
}

/** What it means that there is no end of it. */
export function endlessFinding(run: Run): Finding {
  const waits = [...run.waits].filter(({ since }) => since < run.steps / 2);
  const kind = waits.length > 0 ? "starvation" : "livelock";
  const meaning = `${kind}: after ${run.steps.toLocaleString("en-US")} steps the program has not ended`;
  const idle = waits.map((wait) => `\n  ${lineOf(run, wait)}, since step ${wait.since}`);
  const busy = run.tasks.filter((task) => !task.hasEnded && !waits.some((wait) => wait.task === task));
  const names = busy.map(({ name }) => name).join(", ");
  const error = new LockstepError("deadlock", `${meaning}; ${names} went on and on${idle.join("")}`);
  return { kind, error, task: run.current };
}

/** Whether all that is waited for is known, so that nothing outside could let the program go on. */
export function isAccountedFor(run: Run): boolean {
  const waits = [...run.waits];
  return waits.every(({ from }) => from !== undefined) && ownPromiseLines(run, waits).length === 0;
}

function meaningOf(run: Run, waits: readonly Wait[]): { kind: FindingKind; meaning: string } {
  if (waits.some((wait) => isInCircle(run, wait, waits))) {
    return { kind: "deadlock", meaning: "deadlock: tasks wait for each other" };
  }
  if (waits.some(({ from }) => from !== undefined && !(from instanceof Permits))) {
    return { kind: "lost wake-up", meaning: "lost wake-up: nobody is left to wake who waits" };
  }
  if (waits.some(({ from }) => from instanceof Permits)) {
    return { kind: "deadlock", meaning: "deadlock: a lock is never released" };
  }
  return { kind: "stuck", meaning: "stuck: nobody is left who could let the program go on" };
}

/** Whether following who holds what it waits for leads back to the one who waits. */
function isInCircle(run: Run, start: Wait, waits: readonly Wait[]): boolean {
  const seen = new Set<Task>();
  const toFollow = [start];
  for (let wait = toFollow.pop(); wait !== undefined; wait = toFollow.pop()) {
    for (const holder of holdersFor(run, wait)) {
      if (holder === start.task) return true;
      if (seen.has(holder)) continue;
      seen.add(holder);
      toFollow.push(...waits.filter(({ task }) => task === holder));
    }
  }
  return false;
}

function holdersFor(run: Run, { from }: Wait): Task[] {
  if (!(from instanceof Permits)) return [];
  return run.tasks.filter(({ held }) => held.some((hold) => hold.isLentBy(from)));
}

function lineOf(run: Run, wait: Wait): string {
  const waiting = `${wait.task.name} waits for ${nameOf(run, wait)}`;
  if (!(wait.from instanceof Permits)) return waiting;
  const holders = holdersFor(run, wait).map((task) => {
    if (task === wait.task) return "it holds itself";
    return task.hasEnded ? `${task.name} held when it ended` : `${task.name} holds`;
  });
  return `${waiting}, which ${holders.length > 0 ? holders.join(", and ") : "somebody took by tryAcquire"}`;
}

/** Names alone need not tell apart what is waited for. */
function nameOf(run: Run, { what, from }: Wait): string {
  const name = textOf(what);
  const same = new Set([...run.waits].filter((wait) => textOf(wait.what) === name).map((wait) => wait.from));
  return same.size > 1 ? `${name} (number ${[...same].indexOf(from) + 1} of that name)` : name;
}

function textOf(what: string | (() => string)): string {
  return typeof what === "string" ? what : what();
}

/** Those who wait for something else than a lock, a wake-up, an answer or one of their own tasks. */
function ownPromiseLines(run: Run, waits: readonly Wait[]): string[] {
  return run.tasks
    .filter((task) => !task.hasEnded && !waits.some((wait) => wait.task === task))
    .filter((task) => !run.tasks.some((other) => other.parent === task && !other.hasEnded))
    .map(({ name }) => `${name} waits for a promise of its own, which nobody is left to resolve`);
}
