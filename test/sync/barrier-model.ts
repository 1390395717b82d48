// A barrier as simple as can be.

interface Waiting {
  who: number;
  generation: number;
  /** Waits with the others, and does not only look for them after an arrival. */
  together: boolean;
  signal: number | undefined;
  dueAt: number;
}

/** All who ever wait are in one list; the state of each generation is looked up. */
export class BarrierModel {
  parties: number;
  generation = 0;
  arrived = 0;
  waiting: Waiting[] = [];
  /** By number: "waits", "done", "done as leader of 3", or why not. */
  readonly outcomes: string[] = [];
  /** Complete, but for their action; the first one's runs. */
  acting: number[] = [];
  readonly #ended = new Map<number, "done" | "lost">();
  readonly #hasAction: boolean;

  constructor(parties: number, hasAction: boolean) {
    this.parties = parties;
    this.#hasAction = hasAction;
  }

  get isBroken(): boolean {
    return this.#ended.get(this.generation) === "lost";
  }

  /** Why nobody can arrive. */
  get objection(): string | undefined {
    if (this.parties === 0) return "misuse";
    return this.isBroken ? "lost" : undefined;
  }

  wait(who: number, signal: number | undefined, dueAt: number, hasNoTime: boolean): void {
    const isTooEarly = hasNoTime && this.arrived + 1 < this.parties;
    this.outcomes[who] = this.objection ?? (isTooEarly ? "timeout" : "waits");
    if (this.outcomes[who] !== "waits") return;
    this.waiting.push({
      who,
      generation: this.generation,
      together: true,
      signal,
      dueAt: hasNoTime ? Infinity : dueAt,
    });
    this.arrive();
  }

  look(who: number, generation: number, signal: number | undefined): void {
    this.outcomes[who] = this.#ended.get(generation) ?? "waits";
    if (this.outcomes[who] === "waits") {
      this.waiting.push({ who, generation, together: false, signal, dueAt: Infinity });
    }
  }

  arrive(): void {
    this.arrived++;
    this.#completeIfAll();
  }

  deregister(): void {
    this.parties--;
    if (!this.isBroken) this.#completeIfAll();
  }

  reset(): void {
    for (const generation of [...this.acting, this.generation]) this.#end(generation, "lost");
    this.acting = [];
    this.#next();
  }

  /** The action of this generation has come to its end; it may be one that nobody waits for any more. */
  acted(generation: number, well: boolean): void {
    if (this.acting[0] !== generation) return;
    const over = well ? [generation] : [...this.acting, this.generation];
    for (const each of over) this.#end(each, well ? "done" : "lost");
    this.acting = well ? this.acting.slice(1) : [];
  }

  abort(signal: number): void {
    this.#giveUp("enough", (waiting) => waiting.signal === signal);
  }

  advanceTo(now: number): void {
    const next = () =>
      this.waiting
        .filter(({ dueAt }) => dueAt <= now)
        .toSorted((a, b) => a.dueAt - b.dueAt || a.who - b.who)[0];
    for (let due = next(); due !== undefined; due = next()) {
      this.#giveUp("timeout", (waiting) => waiting === due);
    }
  }

  #giveUp(why: string, which: (waiting: Waiting) => boolean): void {
    const leaving = this.waiting.filter(which);
    this.waiting = this.waiting.filter((waiting) => !which(waiting));
    for (const { who } of leaving) this.outcomes[who] = why;
    const isMissed = leaving.some(({ together, generation }) => together && generation === this.generation);
    if (isMissed) this.#end(this.generation, "lost");
  }

  #completeIfAll(): void {
    if (this.arrived < this.parties) return;
    if (this.#hasAction) this.acting.push(this.generation);
    else this.#end(this.generation, "done");
    this.#next();
  }

  #end(generation: number, how: "done" | "lost"): void {
    this.#ended.set(generation, how);
    let leader = how === "done" ? `done as leader of ${generation}` : "lost";
    for (const { who, together } of this.waiting.filter((waiting) => waiting.generation === generation)) {
      this.outcomes[who] = together ? leader : how;
      if (together) leader = how === "done" ? `done with ${generation}` : "lost";
    }
    this.waiting = this.waiting.filter((waiting) => waiting.generation !== generation);
  }

  #next(): void {
    this.generation++;
    this.arrived = 0;
  }
}
