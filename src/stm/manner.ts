import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { checkPatience, type Patience } from "../base/patience.js";
import { checkAttempts } from "../base/retry-loop.js";
import { shown } from "../base/shown.js";
import {
  disciplineOf,
  readOnlyDiscipline,
  type Control,
  type Discipline,
  type Isolation,
} from "./discipline.js";

export interface TransactionOptions extends Patience {
  /**
   * What others may do to it, and it to them. "serializable" unless given: as if they came one after
   * another.
   */
  isolation?: Isolation | undefined;
  /**
   * What happens where transactions meet. "optimistic" unless given: they go on, and those who lose are
   * run again; "pessimistic": they wait for each other; "adaptive": they wait where they met lately.
   */
  control?: Control | undefined;
  /** Reads one moment, whatever others do: never fails, never waits, and keeps nobody waiting. */
  readOnly?: boolean | undefined;
  /**
   * How often to run the block at most, not counting what only waited by `tx.retry()`; without it, until
   * it goes through.
   */
  attempts?: number | undefined;
  /**
   * For "pessimistic": whoever would have to wait for a lock that comes before one it has gives all back,
   * and locks them in order. So refs and rows are never waited for in a circle; circles through ranges,
   * which no order can exclude, are found, and the youngest gives way, as without this.
   */
  order?: "sorted" | undefined;
}

/** Of transactions whose blocks are given a `Transaction`, where nothing has to be awaited. */
export type OptimisticOptions = TransactionOptions & {
  control?: "optimistic" | undefined;
  readOnly?: false | undefined;
};

/** How a transaction goes about it. */
export interface Manner {
  readonly discipline: Discipline;
  readonly isLocking: boolean;
  /** Whether what it has locked is barred for those who cannot wait, too. */
  readonly isFirm: boolean;
  readonly isSorted: boolean;
  readonly isReadOnly: boolean;
  readonly attempts: number;
}

export const usualManner: Manner = {
  discipline: disciplineOf("serializable", "optimistic"),
  isLocking: false,
  isFirm: false,
  isSorted: false,
  isReadOnly: false,
  attempts: Infinity,
};

const known = ["isolation", "control", "readOnly", "attempts", "order", "signal", "timeoutMs"];

export function mannerOf(options: TransactionOptions): Manner {
  checkOptions(options, known);
  checkPatience(options);
  const { isolation = "serializable", control = "optimistic", attempts = Infinity } = options;
  const { readOnly: isReadOnly = false, order } = options;
  checkAttempts(attempts);
  if (typeof isReadOnly !== "boolean") {
    throw new LockstepError("bad-input", `readOnly must be true or false, not ${shown(isReadOnly)}`);
  }
  const isSorted = order === "sorted";
  if (order !== undefined && !(isSorted && control === "pessimistic")) {
    throw new LockstepError("bad-input", `order can only be "sorted", and only with control: "pessimistic"`);
  }
  const discipline = disciplineOf(isolation, control);
  return {
    discipline: isReadOnly ? readOnlyDiscipline : discipline,
    isLocking: control !== "optimistic" && !isReadOnly,
    isFirm: control === "pessimistic",
    isSorted,
    isReadOnly,
    attempts,
  };
}
