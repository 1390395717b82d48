import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { isPromise } from "../base/is-promise.js";
import { SeededRandom } from "../base/random.js";
import { inContext } from "./in-context.js";
import { FootprintNames, type Footprint, type Touched } from "./footprint.js";
import type { Run } from "./run.js";
import type { Doer, Stage } from "./stage.js";
import type { Task } from "./task.js";

type Body = () => unknown;
type Settle = (value: unknown) => void;

/** The stage of one run. Its members are functions of their own, for programs take the object apart. */
export class RunStage implements Stage {
  readonly #run: Run;
  #random: SeededRandom | undefined;
  #names: FootprintNames | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  get clock(): Clock {
    return this.#run.clock;
  }

  get random(): SeededRandom {
    return (this.#random ??= new RunRandom(this.#run));
  }

  /** Whether any footprint was declared. */
  get hasFootprints(): boolean {
    return this.#names !== undefined;
  }

  readonly task: Doer = (first: unknown, second?: unknown, third?: unknown): Promise<never> => {
    const { name, footprint, body } = partsOf("task", first, second, third);
    const run = this.#run;
    const task = run.newTask(name, body);
    run.park(task, "start", "", inContext(run.live), task, this.#touched(footprint));
    return task.end as Promise<never>;
  };

  readonly io: Doer = (first: unknown, second?: unknown, third?: unknown): Promise<never> => {
    const { name = "io", footprint, body: effect } = partsOf("io", first, second, third);
    const touched = this.#touched(footprint);
    const run = this.#run;
    const task = run.current;
    return new Promise((resolve, reject) => {
      const act = inContext(() => {
        this.#perform(task, name, effect, touched, resolve as Settle, reject);
      });
      run.park(task, "effect", name, act, undefined, touched);
    });
  };

  readonly step = (name = "step", footprint?: Footprint): Promise<void> => {
    const promise = new Promise<void>(keepResolve);
    this.#run.park(this.#run.current, "step", name, keptResolve, undefined, this.#touched(footprint));
    return promise;
  };

  readonly invariant = (holds: () => unknown): void => {
    if (typeof holds !== "function") {
      throw new LockstepError("bad-input", "invariant needs a function, as in invariant(() => stock >= 0)");
    }
    this.#run.invariants.push(holds);
  };

  #perform(
    task: Task,
    name: string,
    effect: Body,
    touched: Touched | undefined,
    resolve: Settle,
    reject: Settle,
  ): void {
    const run = this.#run;
    const answered = (value: unknown) => {
      run.park(task, "answer", name, resolve, value, touched);
    };
    const refused = (error: unknown) => {
      run.park(task, "refusal", name, reject, error, touched);
    };
    let answer: unknown;
    try {
      answer = effect();
    } catch (error) {
      refused(error);
      return;
    }
    if (isPromise(answer)) run.await(answer, `the answer of "${name}"`, answered, refused);
    else answered(answer);
  }

  #touched(footprint: Footprint | undefined): Touched | undefined {
    if (footprint === undefined) return undefined;
    return (this.#names ??= new FootprintNames()).touched(footprint);
  }
}

/** Tells when a number is drawn, for the order of draws matters to all who draw. */
class RunRandom extends SeededRandom {
  readonly #run: Run;

  constructor(run: Run) {
    super(run.seed);
    this.#run = run;
  }

  override next(): number {
    this.#run.isStepOpen = this.#run.hasDrawn = true;
    return super.next();
  }
}

interface Parts {
  readonly name: string | undefined;
  readonly footprint: Footprint | undefined;
  readonly body: Body;
}

/** The body comes last; a name before it, and a footprint between the two. */
function partsOf(verb: string, first: unknown, second: unknown, third: unknown): Parts {
  if (isBody(first)) return { name: undefined, footprint: undefined, body: first };
  if (typeof first === "string") {
    if (isBody(second)) return { name: first, footprint: undefined, body: second };
    if (isBody(third)) return { name: first, footprint: second as Footprint | undefined, body: third };
  }
  throw new LockstepError("bad-input", `${verb} needs a function, as in ${verb}("name", async () => { … })`);
}

function isBody(given: unknown): given is Body {
  return typeof given === "function";
}

// One executor for all promises, instead of a function for each.
let keptResolve: () => void;
function keepResolve(resolve: () => void): void {
  keptResolve = resolve;
}
