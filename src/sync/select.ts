import { delivered } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, tooLate, whenPatienceEnds, type Patience } from "../base/patience.js";
import { Receiving, Sending, type SelectCase } from "./select-case.js";

/** What may happen, by a name that tells what did. */
export type SelectCases = Readonly<Record<string, SelectCase<IteratorResult<unknown, undefined>>>>;

/** Which case happened, and its outcome. `done` says that the channel of that case has ended. */
export type Selected<Cases extends SelectCases> = {
  [Key in keyof Cases]: Cases[Key] extends Receiving<infer T>
    ? { key: Key; done: false; value: T } | { key: Key; done: true; value: undefined }
    : { key: Key; done: false; value: undefined };
}[keyof Cases];

/**
 * Waits for the first of several sends and receives. Exactly one happens; the others leave no trace.
 *
 * *Fairness*: cases are tried in the order in which they are written, and the first that can happen does: put
 * the urgent one first. One that is always ready starves those after it. While it waits, it stands in line in
 * each channel like anybody else. *Cancellation*: when the signal aborts or the time is up, it rejects, and
 * no case happens.
 *
 * *Failure*: rejects with 'closed' when a case would send to a channel that is closed, and with the error of
 * a channel that failed when a case would receive from it.
 */
export function select<const Cases extends SelectCases>(
  cases: Cases,
  patience?: Patience,
): Promise<Selected<Cases>> {
  const refusal = refusalOf(patience);
  if (refusal !== undefined) return refusal;
  try {
    const selected = trySelect(cases);
    const happened = selected === null ? waitForOne(cases, patience ?? {}) : Promise.resolve(selected);
    return delivered(happened as Promise<Selected<Cases>>, () => awaitedOf(cases), cases);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Does the first of several sends and receives that can happen at once, without any promise; says null when
 * none can.
 */
export function trySelect<const Cases extends SelectCases>(cases: Cases): Selected<Cases> | null {
  checkCases(cases);
  for (const key of Object.keys(cases)) {
    const outcome = cases[key]!.attempt();
    if (outcome !== undefined) return selectedBy(key, outcome) as Selected<Cases>;
  }
  return null;
}

/**
 * Parks all cases. This is why exactly one happens, though each stands in a queue of its own, and though the
 * one it meets may be a select as well:
 *
 * - Trying the cases and parking them is one step: nothing can become ready in between and be missed.
 * - Who takes a parked case out of its queue settles it in the same step, and that takes out all the others
 *   before anybody else runs. So at most one case is ever taken out by somebody else.
 * - When two selects meet, only the one that waits is parked. The one that comes tries its cases while none
 *   of its own is parked: it completes the case that it took out, and completes itself, or parks and changes
 *   nothing. It cannot meet itself, and no two can each wait for the other to confirm.
 * - Losing patience and being closed are such steps too: whichever comes first leaves nothing to the others.
 * - A signal that aborts tells one after the other, and this select maybe last. Until then each queue looks
 *   at the signal by itself, and takes out the case instead of serving it.
 */
function waitForOne(cases: SelectCases, patience: Patience): Promise<unknown> {
  const keys = Object.keys(cases);
  const awaited = awaitedOf(cases);
  if (patience.timeoutMs === 0) {
    return Promise.reject(tooLate(awaited, 0));
  }
  return new Promise((resolve, reject) => {
    const leave: (() => void)[] = [];
    const leaveAll = () => {
      for (const leaveOne of leave) leaveOne();
    };
    const failed = (error: unknown) => {
      leaveAll();
      reject(error);
    };
    for (const key of keys) {
      const happened = (outcome: IteratorResult<unknown, undefined>) => {
        leaveAll();
        resolve(selectedBy(key, outcome));
      };
      leave.push(cases[key]!.park({ happened, failed }, patience.signal));
    }
    leave.push(whenPatienceEnds(patience, cases[keys[0]!]!.clock, awaited, failed));
  });
}

function awaitedOf(cases: SelectCases): string {
  return `one of ${Object.keys(cases).join(", ")}`;
}

function selectedBy(key: string, { done = false, value }: IteratorResult<unknown, undefined>): unknown {
  return { key, done, value };
}

function checkCases(cases: unknown): asserts cases is SelectCases {
  if (typeof cases !== "object" || cases === null || Object.keys(cases).length === 0) {
    throw new LockstepError(
      "bad-input",
      "select needs at least one case, as in select({ job: jobs.receiving() }): nothing would never happen",
    );
  }
  for (const [key, each] of Object.entries(cases)) {
    if (each instanceof Receiving || each instanceof Sending) continue;
    throw new LockstepError(
      "bad-input",
      `the case ${JSON.stringify(key)} must be made by channel.receiving() or channel.sending(value)`,
    );
  }
}
