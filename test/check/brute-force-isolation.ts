// What the levels mean, by trying every order: slow, short, and of another making than what it is to judge.
import type { History, Operation } from "lockstep/check";
import type { Micro } from "./random-transactions.js";

type Timing = "none" | "session" | "realtime";
type State = ReadonlyMap<string, unknown>;

const microOf = ({ outcome, result, args }: Operation) => (outcome === "ok" ? result : args[0]) as Micro[];

/** Whether some order of the transactions, one at a time, gives every read what it saw. */
export function isSerializable(history: History, timing: Timing): boolean {
  const isDone = (left: readonly Operation[], state: State): boolean =>
    left.every(({ outcome }) => outcome !== "ok") ||
    left.some((next) => {
      const others = left.filter((other) => other !== next);
      if (others.some((other) => precedes(other, next, timing))) return false;
      const after = run(next, state, state);
      return after !== undefined && isDone(others, after);
    });
  return isDone(thatMayHave(history), new Map());
}

/** The same, where each reads from a snapshot, and two that write the same key are not open at once. */
export function isSnapshotIsolated(history: History, timing: Timing): boolean {
  interface Open {
    readonly operation: Operation;
    readonly snapshot: State;
  }
  const isDone = (left: readonly Operation[], open: readonly Open[], state: State): boolean => {
    if (open.length === 0 && left.every(({ outcome }) => outcome !== "ok")) return true;
    const begins = left.some((next) => {
      const others = left.filter((other) => other !== next);
      const undone = [...others, ...open.map(({ operation }) => operation)];
      if (undone.some((other) => precedes(other, next, timing))) return false;
      if (open.some(({ operation }) => writesOf(operation).some((key) => writesOf(next).includes(key)))) {
        return false;
      }
      if (run(next, state, state) === undefined) return false;
      return isDone(others, [...open, { operation: next, snapshot: state }], state);
    });
    if (begins) return true;
    return open.some((each) => {
      const after = run(each.operation, each.snapshot, state);
      const others = open.filter((other) => other !== each);
      return after !== undefined && isDone(left, others, after);
    });
  };
  return isDone(thatMayHave(history), [], new Map());
}

function thatMayHave({ operations }: History): Operation[] {
  return operations.filter(({ outcome }) => outcome !== "fail");
}

function precedes(one: Operation, other: Operation, timing: Timing): boolean {
  if (one.outcome !== "ok" || timing === "none" || one.returned >= other.invoked) return false;
  return timing === "realtime" || one.client === other.client;
}

function writesOf(operation: Operation): string[] {
  return microOf(operation).flatMap(([action, key]) => (action === "r" ? [] : [key]));
}

/** What it makes of the state, reading from the snapshot; undefined if it cannot have read what it did. */
function run(operation: Operation, snapshot: State, state: State): State | undefined {
  const seen = new Map(snapshot);
  const after = new Map(state);
  for (const [action, key, value] of microOf(operation)) {
    const current = seen.get(key);
    if (action === "r") {
      const expected = current ?? (Array.isArray(value) ? [] : null);
      if (operation.outcome === "ok" && JSON.stringify(expected) !== JSON.stringify(value)) return undefined;
      continue;
    }
    const isAppend = action === "append";
    seen.set(key, isAppend ? [...((current as unknown[] | undefined) ?? []), value] : value);
    after.set(key, isAppend ? [...((after.get(key) as unknown[] | undefined) ?? []), value] : value);
  }
  return after;
}

/** Whether there is a commit order as Biswas and Enea want it; each transaction reads a key once at most. */
export function hasCommitOrder(
  history: History,
  level: "read-committed" | "read-atomic" | "causal",
): boolean {
  const all = thatMayHave(history).filter(({ outcome }) => outcome === "ok");
  const reads = readsOf(all);
  if (reads.some(({ from }) => from === undefined)) return false;
  const direct = (one: Operation, other: Operation) =>
    precedes(one, other, "session") || reads.some(({ by, from }) => by === other && from === one);
  const isKnown = (one: Operation, other: Operation, seen = new Set<Operation>()): boolean =>
    direct(one, other) ||
    all.some((between) => {
      if (seen.has(between) || !direct(between, other)) return false;
      return isKnown(one, between, seen.add(between));
    });
  const knows = (one: Operation, read: Read) => {
    if (level === "causal") return isKnown(one, read.by);
    if (level === "read-atomic") return direct(one, read.by);
    return reads.some(({ by, from, at }) => by === read.by && from === one && at < read.at);
  };
  return permutations(all).some((order) => {
    const place = (each: Operation | "initial") => (each === "initial" ? -1 : order.indexOf(each));
    const isAgreed = all.every((one) =>
      all.every((other) => one === other || !direct(one, other) || place(one) < place(other)),
    );
    if (!isAgreed) return false;
    return reads.every((read) =>
      all.every((one) => {
        if (one === read.from || one === read.by || !writesOf(one).includes(read.key)) return true;
        return !knows(one, read) || place(one) < place(read.from!);
      }),
    );
  });
}

interface Read {
  readonly by: Operation;
  readonly key: string;
  readonly at: number;
  readonly from: Operation | "initial" | undefined;
}

function readsOf(all: readonly Operation[]): Read[] {
  const writerOf = new Map<unknown, Operation>();
  for (const each of all) {
    for (const [action, , value] of microOf(each)) if (action !== "r") writerOf.set(value, each);
  }
  return all.flatMap((by) =>
    microOf(by).flatMap(([action, key, value], at): Read[] => {
      if (action !== "r") return [];
      return [{ by, key, at, from: value === null ? "initial" : writerOf.get(value) }];
    }),
  );
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
