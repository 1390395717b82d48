import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { checkHistory, type Client, type History, type Operation } from "./history.js";

/** A history while it is merged: its calls and answers in their order. */
interface Strand {
  readonly times: ArrayLike<number>;
  /** The operation that is called or answered there, by place. */
  readonly events: readonly (Operation | undefined)[];
  next: number;
}

/**
 * One history of what several processes have recorded, each its own clients, in the order of the times. That
 * is the real order only if all times are of one clock: of one machine, as recorders' are by default, and of
 * one boot of it. No two machines' clocks agree well enough for this; there, let one process record all.
 *
 * @example
 * ```ts
 * const files = ["worker-1.jsonl", "worker-2.jsonl"];
 * const parts = await Promise.all(files.map((file) => readHistory(createReadStream(file, "utf8"))));
 * check(mergeHistories(...parts)).linearizable(register());
 * ```
 */
export function mergeHistories(...histories: readonly History[]): History {
  const strands = histories.map(strandOf);
  checkClients(histories);
  const operations: Operation[] = [];
  const times: number[] = [];
  const merged = new Map<Operation, Operation & { returned: number }>();
  for (let strand = earliest(strands); strand !== undefined; strand = earliest(strands)) {
    const operation = strand.events[strand.next];
    const place = times.push(strand.times[strand.next]!) - 1;
    strand.next++;
    if (operation === undefined) continue;
    const known = merged.get(operation);
    if (known === undefined) {
      const copy = { ...operation, invoked: place, returned: Infinity };
      merged.set(operation, copy);
      operations.push(copy);
    } else {
      known.returned = place;
    }
  }
  return { operations, times };
}

/**
 * Whose turn it is. Of several at the same time a call comes first: then the two overlap, and neither is said
 * to be before the other, which nobody knows.
 */
function earliest(strands: readonly Strand[]): Strand | undefined {
  let best: Strand | undefined;
  for (const strand of strands) {
    if (strand.next === strand.events.length) continue;
    const ahead = best === undefined ? -1 : strand.times[strand.next]! - best.times[best.next]!;
    if (ahead < 0 || (ahead === 0 && isCall(strand))) best = strand;
  }
  return best;
}

function isCall({ events, next }: Strand): boolean {
  return events[next]?.invoked === next;
}

function strandOf(history: History): Strand {
  checkHistory(history);
  const { operations, times, realTime } = history;
  if (times === undefined || realTime === false) {
    throw new LockstepError("bad-input", "histories are merged by their times, and one of these has none");
  }
  const events: (Operation | undefined)[] = Array.from({ length: times.length }, () => undefined);
  for (const operation of operations) {
    for (const place of [operation.invoked, operation.returned]) {
      if (place === Infinity) continue;
      if (events[place] !== undefined) {
        throw new LockstepError(
          "bad-input",
          `only one call or answer can be merged from each place, not two of ${place}`,
        );
      }
      events[place] = operation;
    }
  }
  for (let place = 1; place < events.length; place++) {
    if (times[place]! >= times[place - 1]!) continue;
    throw new LockstepError(
      "bad-input",
      `the times of a history rise; ${times[place]} comes after ${times[place - 1]}`,
    );
  }
  return { times, events, next: 0 };
}

/** A client does one thing after the other, and nobody does so in two processes. */
function checkClients(histories: readonly History[]): void {
  const owner = new Map<Client, number>();
  for (const [i, { operations }] of histories.entries()) {
    for (const { client } of operations) {
      if ((owner.get(client) ?? i) !== i) {
        throw new LockstepError(
          "bad-input",
          `client ${shown(client)} is in two histories; name clients after their process, too`,
        );
      }
      owner.set(client, i);
    }
  }
}
