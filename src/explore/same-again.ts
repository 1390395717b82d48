import { LockstepError } from "../base/errors.js";
import { thrownInWords } from "./in-words.js";
import type { Run } from "./run.js";

/** What is thrown when the same choices lead elsewhere. */
export function changedError(how?: string): LockstepError {
  const what = how === undefined ? "" : ` (${how})`;
  return new LockstepError(
    "misuse",
    `the program does something else when the same choices are made again${what}, so its schedules cannot ` +
      "be explored: something outlives a run; let it make all its state anew each time that it is called, " +
      "and take what comes from outside, such as a random id, from its stage",
  );
}

/** Throws unless two runs by the same choices went by the same points and answers to the same end. */
export function expectSame(one: Run, other: Run): void {
  expectSameEnd(one, other);
  expectSameAnswers(one, other);
  if (one.record!.sum === other.record!.sum) return;
  expectAllEqual(deedsOf(one), deedsOf(other));
  throw changedError();
}

/** Throws unless two runs by the same choices came to the same end. */
export function expectSameEnd(one: Run, other: Run): void {
  expectEqual(endOf(one), endOf(other));
}

/** Throws unless two runs by the same choices got the same answers. */
export function expectSameAnswers(one: Run, other: Run): void {
  expectAllEqual(one.record!.plainAnswers, other.record!.plainAnswers);
}

function deedsOf({ record }: Run): string[] {
  return record!.rows.map(({ task, did }) => `${task}: ${did}`);
}

function endOf({ finding }: Run): string {
  return finding === undefined ? "nothing wrong" : `${finding.kind}: ${thrownInWords(finding.error)}`;
}

function expectAllEqual(ones: readonly string[], others: readonly string[]): void {
  const most = Math.max(ones.length, others.length);
  for (let at = 0; at < most; at++) expectEqual(ones[at] ?? "nothing more", others[at] ?? "nothing more");
}

function expectEqual(one: string, other: string): void {
  if (one !== other) throw changedError(`first ${one}; then ${other}`);
}
