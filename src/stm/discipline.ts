import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";

export type Isolation = "read-uncommitted" | "read-committed" | "repeatable-read" | "serializable";
export type Control = "optimistic" | "pessimistic" | "adaptive";

/** How a level of isolation is kept by a kind of control. */
export interface Discipline {
  /**
   * What a read sees: also what others have written and not committed; what is committed by now; what was
   * committed at one moment; or what is committed, locked so that it stays.
   */
  readonly reads: "dirty" | "committed" | "snapshot" | "locked";
  /** What must not have changed since that moment when it commits. */
  readonly checks: "nothing" | "writes" | "reads";
  /**
   * Whether it locks what it writes, when it does; else at the commit, and only if others have locks
   * there.
   */
  readonly locksWrites: boolean;
  /** Whether it stands in line for what transactions were in each other's way about lately. */
  readonly takesTickets: boolean;
}

/** Under every control: these see, and check, the same. */
const seen = {
  "read-uncommitted": { reads: "dirty", checks: "nothing" },
  "read-committed": { reads: "committed", checks: "nothing" },
  "repeatable-read": { reads: "snapshot", checks: "writes" },
  serializable: { reads: "snapshot", checks: "reads" },
} as const;

const optimistic = { locksWrites: false, takesTickets: false };
const pessimistic = { locksWrites: true, takesTickets: false };
const adaptive = { locksWrites: false, takesTickets: true };

const disciplines: Record<Control, Record<Isolation, Discipline>> = {
  optimistic: {
    "read-uncommitted": { ...seen["read-uncommitted"], ...optimistic },
    "read-committed": { ...seen["read-committed"], ...optimistic },
    "repeatable-read": { ...seen["repeatable-read"], ...optimistic },
    serializable: { ...seen.serializable, ...optimistic },
  },
  pessimistic: {
    "read-uncommitted": { ...seen["read-uncommitted"], ...pessimistic },
    "read-committed": { ...seen["read-committed"], ...pessimistic },
    "repeatable-read": { ...seen["repeatable-read"], ...pessimistic },
    // Locks keep what it reads, so there is nothing to check.
    serializable: { reads: "locked", checks: "nothing", ...pessimistic },
  },
  adaptive: {
    "read-uncommitted": { ...seen["read-uncommitted"], ...adaptive },
    "read-committed": { ...seen["read-committed"], ...adaptive },
    "repeatable-read": { ...seen["repeatable-read"], ...adaptive },
    serializable: { ...seen.serializable, ...adaptive },
  },
};

/** Of those who only read: they see one moment, whatever their level, and keep nobody waiting. */
export const readOnlyDiscipline = disciplines.optimistic["repeatable-read"];

export function disciplineOf(isolation: Isolation, control: Control): Discipline {
  if (!Object.hasOwn(disciplines, control)) throw noSuch("control", control, Object.keys(disciplines));
  if (!Object.hasOwn(seen, isolation)) throw noSuch("isolation", isolation, Object.keys(seen));
  return disciplines[control][isolation];
}

function noSuch(option: string, value: unknown, known: readonly string[]): LockstepError {
  return new LockstepError(
    "bad-input",
    `there is no ${option} ${shown(value)}; there are ${known.map((name) => `"${name}"`).join(", ")}`,
  );
}
