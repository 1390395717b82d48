import { LockstepError } from "../../base/errors.js";
import { checkHistory, type History, type Operation } from "../history.js";
import { answerLine, callLine } from "./event-line.js";

/**
 * The history as JSON lines, each ended by a newline: what `readHistory` and `lockstep check` read.
 *
 * @example
 * ```ts
 * await writeFile("history.jsonl", historyLines(recorder.history));
 * ```
 */
export function* historyLines(history: History): Generator<string, void, undefined> {
  checkHistory(history);
  const { operations, times, realTime } = history;
  if (realTime === false) {
    throw new LockstepError("bad-input", "these lines tell an order in time, and this history has none");
  }
  const answered = operations.map((_operation, id) => id).filter((id) => operations[id]!.returned < Infinity);
  answered.sort((a, b) => operations[a]!.returned - operations[b]!.returned);
  let next = 0;
  for (const [id, operation] of operations.entries()) {
    // Of a call and an answer in one place, the call is first: neither operation is before the other.
    for (; next < answered.length && operations[answered[next]!]!.returned < operation.invoked; next++) {
      yield answer(answered[next]!);
    }
    yield callLine(id, operation, times?.[operation.invoked]);
  }
  for (; next < answered.length; next++) yield answer(answered[next]!);

  function answer(id: number): string {
    const { outcome, result, returned }: Operation = operations[id]!;
    return answerLine(id, outcome, result, times?.[returned]);
  }
}
