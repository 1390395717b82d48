import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { SeededRandom } from "../base/random.js";
import { shown } from "../base/shown.js";
import type { Query, Snapshot } from "../store/change.js";
import { checkQuery } from "../store/rules.js";
import type { Chronicle } from "./chronicle.js";
import { noHazards, type Hazards } from "./hazards.js";
import { Nemesis } from "./nemesis.js";
import { ProcessClock } from "./process-clock.js";
import { ScenarioClock } from "./scenario-clock.js";
import { SimulatedProcess } from "./simulated-process.js";
import { StoreServer } from "./store-server.js";
import type { Timeline } from "./timeline.js";
import { Wire } from "./wire.js";

type Main = (process: SimulatedProcess) => unknown;

/** Processes, one store that they share, and all that goes wrong between them. */
export class World {
  /** The true time. It is no process's own, and is never frozen. */
  readonly clock: Clock;
  /** For the scenario: what it draws changes nothing of what goes wrong. */
  readonly random: SeededRandom;
  readonly #timeline: Timeline;
  readonly #clock: ScenarioClock;
  readonly #chronicle: Chronicle;
  readonly #chance: SeededRandom;
  readonly #wire: Wire;
  readonly #nemesis: Nemesis;
  readonly #mains = new Map<string, Main>();
  readonly #lives = new Map<string, SimulatedProcess>();
  readonly #onFailure: (error: unknown) => void;

  /** @internal */
  constructor(
    seed: number,
    hazards: Hazards,
    timeline: Timeline,
    chronicle: Chronicle,
    onFailure: (error: unknown) => void,
  ) {
    // Each has a source of its own, so that what one draws leaves the others alone.
    const seeds = new SeededRandom(seed);
    const random = () => new SeededRandom(seeds.below(2 ** 32));
    this.#clock = new ScenarioClock(timeline);
    this.clock = this.#clock;
    this.random = random();
    this.#timeline = timeline;
    this.#chronicle = chronicle;
    this.#chance = random();
    this.#onFailure = onFailure;
    const onExpiry = () => {
      chronicle.count(timeline.now(), "expired session", "store");
    };
    const perform = (callback: () => void) => {
      callback();
    };
    const serverClock = new ProcessClock(timeline, this.#drawRate(hazards), 0, perform);
    this.#wire = new Wire(timeline, new StoreServer(serverClock, onExpiry), chronicle, random(), hazards);
    this.#nemesis = new Nemesis(this.#wire, this, random());
    this.#nemesis.hauntStore();
  }

  /**
   * Starts a process, which runs `main`; and again, whenever it was killed and is started anew. If `main`
   * throws, so does the simulation.
   */
  spawn(name: string, main: Main): void {
    if (typeof main !== "function") {
      throw new LockstepError(
        "bad-input",
        "a process needs its main function: spawn(name, async (process) => …)",
      );
    }
    if (this.#mains.has(name)) {
      throw new LockstepError("bad-input", `there is a process ${shown(name)}; give another name`);
    }
    this.#mains.set(name, main);
    this.start(name);
    this.#nemesis.haunt(name);
  }

  /** The process of that name as it lives now; undefined while it is dead. */
  process(name: string): SimulatedProcess | undefined {
    this.#mainOf(name);
    return this.#lives.get(name);
  }

  /**
   * Ends the life of a process, in the middle of whatever it does; `start` begins another one. To the dead
   * this does nothing, and so do `freeze`, `thaw` and `jumpClock`.
   */
  kill(name: string): void {
    const process = this.process(name);
    if (!process) return;
    this.#lives.delete(name);
    process.kill();
    this.#wire.disconnect(process);
  }

  /** Starts a process that was killed. */
  start(name: string): void {
    const main = this.#mainOf(name);
    if (this.#lives.has(name)) return;
    const rate = this.#drawRate(this.#wire.hazards);
    const process = new SimulatedProcess(name, this.#wire, rate, this.#chance.below(2 ** 32));
    this.#lives.set(name, process);
    // An event of its own, as everything that a process does.
    this.#timeline.after(0, () => {
      process.perform("message", () => {
        void this.#live(process, main);
      });
    });
  }

  /** Stops a process, as a debugger would, until `thaw`: its timers and its messages wait. */
  freeze(name: string): void {
    this.process(name)?.freeze();
  }

  /** What waited happens now: all timers before all messages, unless messages go first. */
  thaw(name: string, first: "timer" | "message" = "timer"): void {
    this.process(name)?.thaw(first);
  }

  /** Sets the wall clock of a process ahead, or back. What it measures time by goes on as before. */
  jumpClock(name: string, byMs: number): void {
    this.process(name)?.jumpClock(byMs);
  }

  /** Resolves after so many milliseconds of the true time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(delayMs, resolve));
  }

  /** What is in the store at this moment, whoever can reach it. */
  look(query: Query): Snapshot {
    checkQuery(query);
    return this.#wire.server.read(query);
  }

  /** Writes something down that happened: it counts in the tally, and in the digest. */
  note(what: string, who: string): void {
    this.#chronicle.count(this.#timeline.now(), what, who);
  }

  /**
   * Ends all that goes wrong: partitions, freezes and failovers are over, the dead are started again, and
   * nothing is lost or late any more, except for what is under way already. Clocks drift on, and wall clocks
   * stay where they jumped.
   */
  heal(): void {
    this.#wire.hazards = { ...noHazards, drift: this.#wire.hazards.drift };
    this.#nemesis.stop();
  }

  /** @internal For how long the scenario has waited for no timer of its own. */
  get idleMs(): number {
    return this.#clock.idleMs;
  }

  #mainOf(name: string): Main {
    const main = this.#mains.get(name);
    if (main) return main;
    throw new LockstepError("bad-input", `there is no process ${shown(name)}; spawn it first`);
  }

  async #live(process: SimulatedProcess, main: Main): Promise<void> {
    try {
      await main(process);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #drawRate({ drift }: Hazards): number {
    return 1 + (2 * this.#chance.next() - 1) * drift;
  }
}
