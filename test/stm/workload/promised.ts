import type { TransactionLevel } from "lockstep/check";
import type { Control, Isolation } from "lockstep/stm";

/** How one transaction is run. */
export interface Manner {
  readonly isolation: Isolation;
  readonly control: Control;
}

/** The manners that share a space, of which each transaction has one. */
export interface Mix {
  readonly name: string;
  readonly manners: readonly Manner[];
  /** What all of them promise. */
  readonly level: TransactionLevel;
  /** What the weakest is isolated by. */
  readonly weakest: Isolation;
}

export const controls: readonly Control[] = ["optimistic", "pessimistic", "adaptive"];

/** The weakest first, and what a history of each is judged by. */
const levels: readonly [Isolation, TransactionLevel][] = [
  ["read-uncommitted", "read-uncommitted"],
  ["read-committed", "read-committed"],
  ["repeatable-read", "strong-session-snapshot-isolation"],
  ["serializable", "strict-serializable"],
];
const isolations = levels.map(([isolation]) => isolation);

/**
 * Each isolation under each control and under all of them; and isolations together, of which only that can
 * be asked which the weakest promises: one that reads what another will undo may write what came of it.
 */
export const mixes: readonly Mix[] = [
  ...isolations.flatMap((isolation) => controls.map((control) => mixOf([isolation], [control]))),
  ...isolations.map((isolation) => mixOf([isolation], controls)),
  ...isolations.slice(0, -1).map((_, weakest) => mixOf(isolations.slice(weakest), controls)),
];

function mixOf(of: readonly Isolation[], under: readonly Control[]): Mix {
  const weakest = Math.min(...of.map((isolation) => isolations.indexOf(isolation)));
  return {
    name: `${of.join(", ")} (${under.join(", ")})`,
    manners: mannersOf(of, under),
    level: levels[weakest]![1],
    weakest: isolations[weakest]!,
  };
}

/** Whether all that a transaction of the mix reads is of one moment. */
export function readsMoments({ weakest }: Mix): boolean {
  return weakest === "repeatable-read" || weakest === "serializable";
}

export function mannersOf(of: readonly Isolation[], under: readonly Control[]): Manner[] {
  return of.flatMap((isolation) => under.map((control) => ({ isolation, control })));
}
