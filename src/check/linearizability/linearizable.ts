import type { Budget } from "../budget.js";
import type { History } from "../history.js";
import type { Model, PartVerdict } from "../model.js";
import type { Anomaly, Unknown, Verdict } from "../verdict.js";
import { keyParts, type KeyPart } from "./key-parts.js";
import { PartSearch } from "./part-search.js";
import { roomFor } from "./room.js";
import { smallestProof } from "./smallest-proof.js";

const level = "linearizable";
/** So much effort each part gets at first, and then twice as much every time. */
const firstSlice = 20_000;
/** So much effort between two looks at the clock. */
const effortAtOnce = 10_000;

/**
 * Whether there is one order of all operations that is possible for the object, and in which those come first
 * that returned before others were called. That is so if it is so for each key (Herlihy and Wing: the promise
 * is local), so each key is judged for itself; by turns, so that one that is hard keeps no other waiting.
 * After so many rounds of turns it gives up.
 */
export function linearizable<State>(
  history: History,
  model: Model<State>,
  budget: Budget,
  rounds = Infinity,
): Verdict {
  const of = history.operations.length;
  if (history.realTime === false) {
    const reason = "the history does not say what was before what in real time: ask for sequential";
    return { is: "unknown", level, reason, checked: 0, of };
  }
  const hard: Undecided<State>[] = [];
  let checked = 0;
  for (const part of keyParts(history.operations, model)) {
    if (budget.isSpent) return timedOut(budget, checked, of);
    const verdict = model.shortcut?.(part.operations);
    if (verdict === undefined) hard.push({ part });
    else if (verdict === "valid") checked += part.operations.length;
    else return violation(part, () => verdict);
  }
  return searchByTurns(hard, model, budget, of, rounds);
}

interface Undecided<State> {
  readonly part: KeyPart;
  search?: PartSearch<State> | undefined;
}

function searchByTurns<State>(
  parts: readonly Undecided<State>[],
  model: Model<State>,
  budget: Budget,
  of: number,
  rounds: number,
): Verdict {
  let undecided = parts;
  let checked = of - parts.reduce((sum, { part }) => sum + part.operations.length, 0);
  let isFull = false;
  /** What is kept in mind by all that are undecided. */
  let words = 0;
  for (let round = 0; undecided.length > 0; round++) {
    const left: Undecided<State>[] = [];
    for (const each of undecided) {
      each.search ??= new PartSearch(each.part, model);
      const { search } = each;
      words -= round === 0 ? 0 : search.words;
      const room = roomFor(of) - words;
      const verdict = runFor(firstSlice * 2 ** round, search, room, budget);
      if (verdict === undefined && (budget.isSpent || round >= rounds)) {
        const passed = undecided.reduce((sum, other) => sum + (other.search?.furthest ?? 0), 0);
        return timedOut(budget, checked + passed, of);
      }
      if (verdict === undefined && search.words <= room) {
        words += search.words;
        left.push(each);
        continue;
      }
      if (verdict !== undefined && verdict !== "valid") {
        return violation(each.part, () => smallestProof(each.part, model, verdict));
      }
      // One that finds no room leaves the others theirs: they may break the promise yet.
      isFull ||= verdict === undefined;
      checked += verdict === undefined ? search.furthest : each.part.operations.length;
      each.search = undefined;
    }
    undecided = left;
  }
  return isFull ? tooMany(checked, of) : { is: "valid", level };
}

/** Undefined if it needs more effort than that, or there is no time or no room for it. */
function runFor<State>(
  effort: number,
  search: PartSearch<State>,
  room: number,
  budget: Budget,
): PartVerdict | undefined {
  for (let spent = 0; spent < effort; spent += effortAtOnce) {
    if (budget.isSpent || search.words > room) return undefined;
    const verdict = search.run(effortAtOnce);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** Told when it is asked for: to look for as few operations as will do takes longer than to find one. */
function violation({ key }: KeyPart, tell: () => Anomaly): Verdict {
  let anomalies: [Anomaly] | undefined;
  return {
    is: "violation",
    level,
    get anomalies() {
      anomalies ??= [key === undefined ? tell() : { ...tell(), key }];
      return anomalies;
    },
  };
}

function timedOut({ timeoutMs }: Budget, checked: number, of: number): Unknown {
  const reason = `${timeoutMs} ms were not enough: give it more, or a history of fewer concurrent operations`;
  return { is: "unknown", level, reason, checked, of };
}

function tooMany(checked: number, of: number): Unknown {
  const reason = "there are more possible orders than fit into memory: record fewer concurrent operations";
  return { is: "unknown", level, reason, checked, of };
}
