import { canDrainMicrotasks, drainMicrotasks } from "../base/drain-microtasks.js";
import { EventLoopTurn } from "../base/event-loop-turn.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import { Chronicle, type Happening } from "./chronicle.js";
import { hazardsOf, type Hazards } from "./hazards.js";
import { Timeline } from "./timeline.js";
import { World } from "./world.js";

export interface SimulationOptions {
  /** A whole number. The same seed and the same scenario give the same run, to the last event. */
  readonly seed: number;
  /** What may go wrong; what is not said is as usual. */
  readonly hazards?: Partial<Hazards> | undefined;
  /**
   * How long the scenario may wait for its processes, in the world's time, while it has no timer set, as
   * `world.sleep` sets one: an hour unless given. Who waits longer waits for something outside the world.
   */
  readonly patienceMs?: number | undefined;
  /** Hears of everything that happens, to see what a seed does. */
  readonly onHappening?: ((happening: Happening) => void) | undefined;
}

/** What came of a simulation. */
export interface Simulated<T> {
  readonly result: T;
  readonly simulatedMs: number;
  /** How many events there were. */
  readonly events: number;
  /** What went wrong, and how often; and what the scenario noted. */
  readonly tally: Record<string, number>;
  /** Two runs with the same one went the same way. */
  readonly digest: string;
}

const usualPatienceMs = 3_600_000;

/** So many events happen before the event loop turns. */
const eventsInATurn = canDrainMicrotasks ? 1000 : 1;

/**
 * Runs a scenario in a world that has its own time: hours pass in a second, and whatever goes wrong follows
 * from the seed. It ends when the scenario does; what the processes still do is forgotten.
 *
 * *Failure*: rejects with what the scenario or a process throws; and with 'misuse' when the scenario waits
 * for something that can never happen, or for longer than `patienceMs`.
 *
 * @example
 * ```ts
 * await simulate({ seed: 1 }, async (world) => {
 *   world.spawn("a", async (process) => {
 *     const client = new Lockstep(process.store(), { clock: process.clock });
 *     await client.lock("x").run(() => process.sleep(100));
 *   });
 *   await world.sleep(60_000);
 * });
 * ```
 */
export async function simulate<T>(
  options: SimulationOptions,
  scenario: (world: World) => T,
): Promise<Simulated<Awaited<T>>> {
  checkOptions(options, ["seed", "hazards", "patienceMs", "onHappening"]);
  const { seed, patienceMs = usualPatienceMs, onHappening } = options;
  if (!Number.isSafeInteger(seed)) {
    throw new LockstepError("bad-input", `a seed is a whole number, not ${shown(seed)}`);
  }
  if (typeof patienceMs !== "number" || !(patienceMs > 0)) {
    throw new LockstepError("bad-input", `patienceMs must be a number above 0, not ${shown(patienceMs)}`);
  }
  const hazards = hazardsOf(options.hazards);
  return new Promise((resolve, reject) => {
    const timeline = new Timeline();
    const chronicle = new Chronicle(onHappening);
    let isOver = false;
    const end = (settle: () => void) => {
      isOver = true;
      settle();
    };
    const fail = (error: unknown) => end(() => reject(error));
    const finish = (result: Awaited<T>) => {
      const { tally, digest } = chronicle;
      end(() => resolve({ result, simulatedMs: timeline.now(), events: timeline.steps, tally, digest }));
    };
    const world = new World(seed, hazards, timeline, chronicle, fail);
    timeline.after(0, () => {
      Promise.resolve(world)
        .then(scenario)
        .then(finish as (result: unknown) => void, fail);
    });
    const turn = () => {
      try {
        for (let i = 0; i < eventsInATurn && !isOver; i++) {
          if (!timeline.step()) throw stuck();
          if (canDrainMicrotasks) drainMicrotasks();
        }
        if (world.idleMs > patienceMs && !isOver) throw impatient(patienceMs);
      } catch (error) {
        fail(error);
      }
      if (!isOver) EventLoopTurn.next(turn);
    };
    EventLoopTurn.next(turn);
  });
}

function impatient(patienceMs: number): LockstepError {
  return new LockstepError(
    "misuse",
    `the scenario has waited for more than ${patienceMs} ms of the world's time with no timer set: for its ` +
      "processes, which never get there, or for something that is not of this world, such as a timer of " +
      "Node's own; wait by world.sleep, or give a longer patienceMs",
  );
}

function stuck(): LockstepError {
  return new LockstepError(
    "misuse",
    "nothing is left to happen, and the scenario still waits: for a process that was killed, or for " +
      "something that is not of this world, such as a timer of Node's own",
  );
}
