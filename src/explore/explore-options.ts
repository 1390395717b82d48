import { canDrainMicrotasks } from "../base/drain-microtasks.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import type { Program } from "./stage.js";

/** How schedules are chosen. */
export type ExploreMode = "exhaustive" | "pct" | "random";

export interface ExploreOptions {
  /**
   * "exhaustive" tries all schedules, "random" any; "pct" is random, too, but made to find the races that
   * need few things to happen in one order. Unless given, all schedules are tried, and if they are more than
   * `runs`, then as many again by "pct".
   */
  readonly mode?: ExploreMode | undefined;
  /** How many schedules to try at most; 10,000 unless given. */
  readonly runs?: number | undefined;
  /** Only schedules in which tasks that could have gone on are interrupted so often at most. */
  readonly preemptions?: number | undefined;
  /** For "pct": how many things must happen in one order for the race to show; 3 unless given. */
  readonly depth?: number | undefined;
  /** Looked at after each step of each schedule: it must not throw, nor say false. */
  readonly invariant?: (() => unknown) | undefined;
  /**
   * When timers fire: "last", unless given, when nobody else can go on, as if all else took no time; or
   * "any", also before others, as if all else might take long. Always in the order in which they are due.
   */
  readonly timers?: "last" | "any" | undefined;
  /** For chance, in the choice of schedules and on the stage; 1 unless given. */
  readonly seed?: number | undefined;
  /** What the report of a race ended with: only that schedule is played, and what it throws is thrown. */
  readonly replay?: string | undefined;
}

const names = ["mode", "runs", "preemptions", "depth", "invariant", "timers", "seed", "replay"];

/** The options, with all that is not given. */
export interface Plan {
  readonly mode: ExploreMode | undefined;
  readonly runs: number;
  readonly preemptions: number;
  readonly depth: number;
  readonly invariant: (() => unknown) | undefined;
  readonly timers: "last" | "any";
  readonly seed: number;
  readonly replay: string | undefined;
}

export function planOf(program: Program, options: ExploreOptions): Plan {
  if (typeof program !== "function") {
    throw nonsense(
      `explore needs the program, as in explore(async ({ task, io }) => { … }), not ${shown(program)}`,
    );
  }
  checkOptions(options, names);
  const { mode, invariant, replay } = options;
  const { runs = 10_000, preemptions = Infinity, depth = 3, timers = "last", seed = 1 } = options;
  if (mode !== undefined && !["exhaustive", "pct", "random"].includes(mode)) {
    throw nonsense(`mode must be "exhaustive", "pct" or "random", not ${shown(mode)}`);
  }
  checkWhole("runs", runs, 1);
  if (preemptions !== Infinity) checkWhole("preemptions", preemptions, 0);
  checkWhole("depth", depth, 1, 1_000);
  checkWhole("seed", seed, -(2 ** 31));
  if (invariant !== undefined && typeof invariant !== "function") {
    throw nonsense("invariant must be a function, which is called after each step");
  }
  if (!["last", "any"].includes(timers))
    throw nonsense(`timers must be "last" or "any", not ${shown(timers)}`);
  if (!canDrainMicrotasks) {
    throw new LockstepError("unsupported", "schedules are explored in Node.js only; run this test there");
  }
  return { mode, runs, preemptions, depth, invariant, timers, seed, replay };
}

function checkWhole(name: string, value: number, least: number, most = Infinity): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most === Infinity ? `from ${least} on` : `from ${least} to ${most}`;
  throw nonsense(`${name} must be a whole number ${range}, not ${shown(value)}`);
}

function nonsense(message: string): LockstepError {
  return new LockstepError("bad-input", message);
}
