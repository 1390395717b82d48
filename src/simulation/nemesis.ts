import type { SeededRandom } from "../base/random.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { Direction, Wire } from "./wire.js";

/** The lives that the nemesis has power over. */
export interface Lives {
  /** The present life of a process; undefined while it is dead. */
  process(name: string): SimulatedProcess | undefined;
  kill(name: string): void;
  start(name: string): void;
  jumpClock(name: string, byMs: number): void;
}

const cuts: readonly (readonly Direction[])[] = [["out", "in"], ["out"], ["in"]];

/** Does harm to processes and to the store, now and then, until it is stopped. */
export class Nemesis {
  readonly #wire: Wire;
  readonly #lives: Lives;
  readonly #random: SeededRandom;
  /** How to end each harm that is being done. */
  readonly #remedies = new Set<() => void>();
  #isStopped = false;

  constructor(wire: Wire, lives: Lives, random: SeededRandom) {
    this.#wire = wire;
    this.#lives = lives;
    this.#random = random;
  }

  /** From now on the store suffers. */
  hauntStore(): void {
    const { failoverEveryMs, failoverMs } = this.#wire.hazards;
    this.#repeat(failoverEveryMs, failoverMs, () => this.#failOver());
  }

  /** From now on that process suffers, in all its lives. */
  haunt(name: string): void {
    const hazards = this.#wire.hazards;
    this.#repeat(hazards.clockJumpEveryMs, 0, () => this.#jumpClock(name));
    this.#repeat(hazards.partitionEveryMs, hazards.partitionMs, () => this.#partition(name));
    this.#repeat(hazards.freezeEveryMs, hazards.freezeMs, () => this.#freeze(name));
    this.#repeat(hazards.killEveryMs, hazards.restartMs, () => this.#kill(name));
  }

  /** Ends all harm, now and for good. */
  stop(): void {
    this.#isStopped = true;
    for (const remedy of [...this.#remedies]) remedy();
  }

  /** Harms again and again; `harm` gives what ends it, or nothing if it could not be done. */
  #repeat(everyMs: number, lastingMs: number, harm: () => (() => void) | undefined): void {
    if (everyMs === 0) return;
    const { timeline } = this.#wire;
    timeline.after(this.#around(everyMs), () => {
      if (this.#isStopped) return;
      const end = harm();
      const remedy = () => {
        if (this.#remedies.delete(remedy)) end?.();
      };
      this.#remedies.add(remedy);
      timeline.after(this.#around(lastingMs), () => {
        remedy();
        this.#repeat(everyMs, lastingMs, harm);
      });
    });
  }

  /** Nothing ends it but another one. */
  #jumpClock(name: string): undefined {
    const byMs = (2 * this.#random.next() - 1) * this.#wire.hazards.clockJumpMs;
    if (!this.#lives.process(name)) return;
    this.#count("clock jump", name);
    this.#lives.jumpClock(name, byMs);
  }

  #partition(name: string): (() => void) | undefined {
    const process = this.#lives.process(name);
    if (!process) return undefined;
    this.#count("partition", name);
    this.#wire.cut(process, cuts[this.#random.below(cuts.length)]!);
    return () => {
      this.#wire.mend(process);
    };
  }

  #freeze(name: string): (() => void) | undefined {
    const process = this.#lives.process(name);
    if (!process) return undefined;
    this.#count("freeze", name);
    process.freeze();
    const first = this.#random.chance(0.5) ? "timer" : "message";
    return () => {
      process.thaw(first);
    };
  }

  #kill(name: string): (() => void) | undefined {
    if (!this.#lives.process(name)) return undefined;
    this.#count("kill", name);
    this.#lives.kill(name);
    return () => {
      this.#lives.start(name);
    };
  }

  #failOver(): () => void {
    const wire = this.#wire;
    this.#count("failover", "store");
    wire.takeStoreAway();
    const most = wire.hazards.failoverLosesCommits;
    const lost = wire.server.failOver(most === 0 ? 0 : this.#random.below(most + 1));
    for (let i = 0; i < lost; i++) this.#count("lost commit", "store");
    return () => {
      wire.bringStoreBack();
    };
  }

  #count(what: string, who: string): void {
    this.#wire.chronicle.count(this.#wire.timeline.now(), what, who);
  }

  /**
   * Mostly near the mean or below it, sometimes far above, as between events that know nothing of each
   * other.
   */
  #around(meanMs: number): number {
    return -Math.log(1 - this.#random.next()) * meanMs;
  }
}
