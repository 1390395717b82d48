// Runs synchronous code of several threads, the real one, in every order that there is.
//
// A thread goes one step further by running from its start: what its atomic operations gave before is
// replayed from a log, the next one is done, and the one after that stops it. So the state of all threads is
// plain data, and the explorer can go back to it and let another thread go on.

/** What stops a thread at its next step. */
const stop = new Error("stop");

interface ThreadState {
  /** What its operations have given so far. */
  log: unknown[];
  status: "runs" | "sleeps" | "done" | "dead";
  /** The line of its next step. */
  at: string;
  hasSlept: boolean;
}

interface World {
  memory: number[];
  /** In the order in which they went to sleep. */
  sleepers: number[];
  threads: ThreadState[];
}

export interface Exploration {
  /** The programs, one for each thread; they start anew at each step and must not keep anything. */
  programs: ((thread: ExploredThread) => void)[];
  /** How many words there are, all zero. */
  words: number;
  /** Which threads may be out of patience whenever they sleep. */
  impatient?: number[];
  /** Which threads may die at any step. */
  mortal?: number[];
  /**
   * On how many of its last results a program's further steps can depend, beside the line that it has come to
   * and whether it has slept. Unless given, on all, which makes far more states.
   */
  memory?: number;
  /** Looks at the end of each run. */
  atEnd?: (memory: readonly number[]) => void;
}

/** What a program knows of the thread that it runs in. */
export interface ExploredThread {
  readonly number: number;
  /** How often the thread has slept, which passes for the time. */
  readonly sleeps: () => number;
  readonly isImpatient: () => boolean;
  readonly isDead: (number: number) => boolean;
}

/**
 * Explores all orders; says how many states there are. Throws for the first order that fails, and names it.
 */
export function explore(exploration: Exploration): number {
  const real = globalThis.Atomics;
  const explorer = new Explorer(exploration);
  globalThis.Atomics = explorer.atomics as unknown as typeof Atomics;
  try {
    return explorer.run();
  } finally {
    globalThis.Atomics = real;
  }
}

class Explorer {
  readonly #exploration: Exploration;
  #world: World;
  #current = 0;
  #cursor = 0;
  #hasStepped = false;
  #sleeps = 0;
  #lastWait = "";

  constructor(exploration: Exploration) {
    this.#exploration = exploration;
    this.#world = {
      memory: Array.from({ length: exploration.words }, () => 0),
      sleepers: [],
      threads: exploration.programs.map(() => ({ log: [], status: "runs", at: "", hasSlept: false })),
    };
  }

  run(): number {
    const start = this.#world;
    const seen = new Set<string>([this.#keyOf(start)]);
    const open: { world: World; path: string[] }[] = [{ world: start, path: [] }];
    for (let next = open.pop(); next; next = open.pop()) {
      const { world, path } = next;
      const moves = this.#movesOf(world);
      if (moves.length === 0) this.#checkEnd(world, path);
      for (const [name, move] of moves) {
        this.#world = copyOf(world);
        const further = [...path, name];
        try {
          move();
        } catch (error) {
          throw new Error(`${String(error)}, in the order ${further.join(" ")}`, { cause: error });
        }
        const key = this.#keyOf(this.#world);
        if (seen.has(key)) continue;
        seen.add(key);
        open.push({ world: this.#world, path: further });
      }
    }
    return seen.size;
  }

  #keyOf({ memory, sleepers, threads }: World): string {
    const last = this.#exploration.memory ?? Infinity;
    const each = threads.map(({ log, status, at, hasSlept }) => {
      const lately = log.slice(Math.max(0, log.length - last));
      return `${status} ${at} ${hasSlept} ${lately.join()}`;
    });
    return `${memory.join()}/${sleepers.join()}/${each.join("/")}`;
  }

  #movesOf(world: World): [string, () => void][] {
    const { impatient = [], mortal = [] } = this.#exploration;
    const moves: [string, () => void][] = [];
    const ids = world.threads.map((_thread, id) => id);
    for (const id of ids) {
      const { status } = world.threads[id]!;
      if (status === "runs") moves.push([`${id}`, () => this.#step(id)]);
      if (status === "sleeps" && impatient.includes(id)) {
        moves.push([`${id}:gives-up`, () => this.#wake(id, "timed-out")]);
      }
      if ((status === "runs" || status === "sleeps") && mortal.includes(id)) {
        moves.push([`${id}:dies`, () => this.#die(id)]);
      }
    }
    const someDied = world.threads.some(({ status }) => status === "dead");
    const isStill = world.threads.every(({ status }) => status !== "runs");
    // Nobody may need the next look, unless somebody died with the wake-up.
    if (isStill && someDied) {
      for (const id of world.sleepers) moves.push([`${id}:looks`, () => this.#wake(id, "timed-out")]);
    }
    return moves;
  }

  #checkEnd(world: World, path: string[]): void {
    const asleep = world.threads.flatMap(({ status }, id) => (status === "sleeps" ? [id] : []));
    if (asleep.length > 0) throw new Error(`${asleep.join(", ")} sleep for ever, after ${path.join(" ")}`);
    this.#exploration.atEnd?.(world.memory);
  }

  #step(id: number): void {
    this.#current = id;
    this.#cursor = 0;
    this.#hasStepped = false;
    this.#sleeps = 0;
    this.#lastWait = "";
    const thread: ExploredThread = {
      number: id + 1,
      sleeps: () => this.#sleeps,
      isImpatient: () => this.#lastWait === "timed-out",
      isDead: (number) => {
        if (this.#exploration.mortal === undefined) return false;
        return this.#operation(() => this.#world.threads[number - 1]!.status === "dead");
      },
    };
    try {
      this.#exploration.programs[id]!(thread);
      this.#world.threads[id] = { log: [], status: "done", at: "", hasSlept: false };
    } catch (error) {
      if (error !== stop) throw error;
    }
  }

  #operation<T>(perform: () => T): T {
    const { log } = this.#world.threads[this.#current]!;
    if (this.#cursor === log.length) {
      if (this.#hasStepped) this.#stop();
      this.#hasStepped = true;
      log.push(perform());
    }
    return log[this.#cursor++] as T;
  }

  #stop(): never {
    const state = this.#world.threads[this.#current]!;
    state.at = whereabouts();
    state.hasSlept = this.#sleeps > 0;
    throw stop;
  }

  #wake(id: number, how: string): void {
    const { sleepers, threads } = this.#world;
    sleepers.splice(sleepers.indexOf(id), 1);
    threads[id]!.status = "runs";
    threads[id]!.log.push(how);
  }

  #die(id: number): void {
    const { sleepers, threads } = this.#world;
    if (sleepers.includes(id)) sleepers.splice(sleepers.indexOf(id), 1);
    threads[id] = { log: [], status: "dead", at: "", hasSlept: false };
  }

  #swap(index: number, change: (before: number) => number): number {
    return this.#operation(() => {
      const before = this.#world.memory[index]!;
      this.#world.memory[index] = change(before);
      return before;
    });
  }

  readonly atomics = {
    load: (_words: unknown, index: number) => this.#swap(index, (before) => before),
    store: (_words: unknown, index: number, value: number) => this.#swap(index, () => value),
    exchange: (_words: unknown, index: number, value: number) => this.#swap(index, () => value),
    add: (_words: unknown, index: number, by: number) => this.#swap(index, (before) => before + by),
    sub: (_words: unknown, index: number, by: number) => this.#swap(index, (before) => before - by),
    compareExchange: (_words: unknown, index: number, from: number, to: number) =>
      this.#swap(index, (before) => (before === from ? to : before)),
    wait: (_words: unknown, index: number, expected: number) => {
      const outcome = this.#operation(() => {
        if (this.#world.memory[index] !== expected) return "not-equal";
        this.#world.threads[this.#current]!.status = "sleeps";
        this.#world.sleepers.push(this.#current);
        return this.#stop();
      });
      this.#lastWait = outcome;
      if (outcome !== "not-equal") this.#sleeps++;
      return outcome;
    },
    /** All who sleep do so on one word. */
    notify: (_words: unknown, _index: number, count: number) =>
      this.#operation(() => {
        const woken = this.#world.sleepers.slice(0, count);
        for (const id of woken) this.#wake(id, "ok");
        return woken.length;
      }),
  };
}

/** The lines of all calls that are going on. */
function whereabouts(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 30;
  Error.prepareStackTrace = (_error, sites) =>
    sites.map((site) => `${site.getLineNumber()}:${site.getColumnNumber()}`).join();
  const at = String(new Error().stack);
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  return at;
}

function copyOf({ memory, sleepers, threads }: World): World {
  return {
    memory: [...memory],
    sleepers: [...sleepers],
    threads: threads.map((thread) => ({ ...thread, log: [...thread.log] })),
  };
}
