import { LockstepError } from "../base/errors.js";
import { deadlockWatch, setDeadlockWatch, type DeadlockWatch } from "./deadlock-watch.js";
import type { Held } from "./held.js";
import type { Permits, Want } from "./permits.js";
import type { Waiter } from "./wait-queue.js";
import { circleFrom, type Hold, type LockState, type Wait } from "./wait-graph.js";

/** One lock that is held, or waited for. */
export interface LockReport {
  /** What it is called. */
  readonly lock: string;
  /** Where each of its holders took it: the top of a stack trace. */
  readonly heldSince: readonly string[];
  /** Where each of those who wait for it asked. */
  readonly waitingAt: readonly string[];
}

/**
 * Finds deadlocks, from now on: the `acquire` that would close a circle of tasks that wait for each other is
 * rejected with 'deadlock', and its message tells the circle, and where each lock in it was taken.
 *
 * Covers all that is made of locks: Mutex, KeyedMutex, Semaphore, RwLock, and what is built on them. It costs
 * a stack trace for each acquire: for tests and for the search, not for production.
 *
 * Which task it is, is told by the async context. What a task starts while it holds something counts as part
 * of it; start what it will not await with {@link DeadlockDetector.detached}, or the holds may be taken for
 * those of code that goes on by itself.
 */
export function detectDeadlocks(): DeadlockDetector {
  if (deadlockWatch instanceof DeadlockDetector) return deadlockWatch;
  const detector = new DeadlockDetector();
  setDeadlockWatch(detector);
  return detector;
}

/** Some code that goes on one step after the other, and what it holds. */
class Task {
  readonly parent: Task | undefined;
  /** The task that what is taken here belongs to, if not this one. */
  readonly takesFor: Task | undefined;
  readonly holds = new Set<Hold>();

  constructor(parent: Task | undefined, takesFor?: Task) {
    this.parent = parent;
    this.takesFor = takesFor;
  }

  get holdsNothing(): boolean {
    for (const hold of this.holds) {
      if (hold.held.isHeld) return false;
      this.holds.delete(hold);
    }
    return true;
  }

  /** What waits when this task does: its holds, and those of the tasks that it is part of. */
  *heldMeanwhile(): Iterable<Hold> {
    yield* this.holds;
    if (this.parent !== undefined) yield* this.parent.heldMeanwhile();
  }
}

export class DeadlockDetector implements DeadlockWatch {
  readonly #tasks = taskStorage();
  readonly #locks = new Map<Permits, LockState>();
  readonly #waits = new WeakMap<Waiter<Held, Want>, { wait: Wait; task: Task }>();
  readonly #takings = new WeakMap<Held, { hold: Hold; task: Task }>();
  /** The task that was entered in this very turn, by code that may not be part of it. */
  #justEntered: Task | undefined;
  readonly #names = new WeakMap<Permits, string>();
  #lastNumber = 0;

  /** What is held and waited for now. */
  report(): LockReport[] {
    return [...this.#locks.values()].map((state) => ({
      lock: state.name,
      heldSince: [...state.holds].map(({ at }) => firstLine(at)),
      waitingAt: [...state.waits].map(({ at }) => firstLine(at)),
    }));
  }

  /** Starts something that the running code will not await, and that has no part in what it holds. */
  detached<T>(task: () => T): T {
    return this.#tasks.run(new Task(undefined), task);
  }

  /** Looks for deadlocks no longer. */
  stop(): void {
    if (deadlockWatch === this) setDeadlockWatch(undefined);
    this.#locks.clear();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** @internal */
  holds(permits: Permits, held: Held, waiter?: Waiter<Held, Want>): void {
    let taking = this.#takings.get(held);
    if (taking === undefined) {
      const waited = waiter && this.#waits.get(waiter);
      const task = waited?.task ?? this.#enter();
      taking = { task, hold: { held, lock: permits, at: waited?.wait.at ?? stackOfCaller() } };
      this.#takings.set(held, taking);
    }
    taking.task.holds.add(taking.hold);
    this.#stateOf(permits).holds.add(taking.hold);
  }

  /** @internal */
  waits(permits: Permits, waiter: Waiter<Held, Want>): LockstepError | undefined {
    const { again } = waiter.request;
    // The code that wakes one from its wait for a condition takes the mutex again for it, not for itself.
    const taken = again && this.#takings.get(again);
    const task = taken?.task ?? this.#enter();
    const heldMeanwhile = [...task.heldMeanwhile()].filter(({ held }) => held.isHeld);
    const wait = { waiter, permits, at: taken?.hold.at ?? stackOfCaller(), heldMeanwhile };
    this.#waits.set(waiter, { wait, task });
    const state = this.#stateOf(permits);
    state.waits.add(wait);
    // Who holds nothing keeps nobody waiting, and closes no circle.
    if (heldMeanwhile.length === 0) return undefined;
    const circle = circleFrom(wait, this.#locks);
    if (circle === undefined) return undefined;
    state.waits.delete(wait);
    return new LockstepError(
      "deadlock",
      describe(circle, (lock) => this.#nameOf(lock)),
    );
  }

  /** @internal */
  returned(permits: Permits): void {
    this.#prune(permits);
  }

  /** @internal */
  runTask<T>(task: () => T): T {
    return this.#tasks.run(new Task(this.#tasks.getStore()), task);
  }

  /** @internal */
  takeTogether<T>(take: () => T): T {
    const task = this.#enter();
    return this.#tasks.run(new Task(task, task), take);
  }

  /** The task that holds what is taken here and now. */
  #enter(): Task {
    const current = this.#tasks.getStore();
    if (current?.takesFor !== undefined) return current.takesFor;
    // Code that starts one task and then another, before either has awaited anything, is seen here in the
    // context of the first: they stand side by side.
    let parent = current !== undefined && current === this.#justEntered ? current.parent : current;
    while (parent?.holdsNothing) parent = parent.parent;
    const task = new Task(parent);
    // What comes after the caller's `await` is in this context, and so is what it calls from there.
    this.#tasks.enterWith(task);
    this.#justEntered = task;
    queueMicrotask(() => {
      if (this.#justEntered === task) this.#justEntered = undefined;
    });
    return task;
  }

  #stateOf(permits: Permits): LockState {
    this.#prune(permits);
    let state = this.#locks.get(permits);
    if (state === undefined) {
      state = { name: this.#nameOf(permits), holds: new Set(), waits: new Set() };
      this.#locks.set(permits, state);
    }
    return state;
  }

  /** Names alone need not tell them apart. */
  #nameOf(permits: Permits): string {
    let name = this.#names.get(permits);
    if (name === undefined) {
      name = `${permits.what} (lock ${++this.#lastNumber})`;
      this.#names.set(permits, name);
    }
    return name;
  }

  #prune(permits: Permits): void {
    const state = this.#locks.get(permits);
    if (state === undefined) return;
    for (const hold of state.holds) if (!hold.held.isHeld) state.holds.delete(hold);
    for (const wait of state.waits) if (!wait.waiter.isWaiting) state.waits.delete(wait);
    if (state.holds.size + state.waits.size === 0) this.#locks.delete(permits);
  }
}

const firstLine = (stack: string) => stack.split("\n", 1)[0]!.trim();

/** The circle in words: who waits for what, and where what it holds was taken. */
function describe(circle: readonly Wait[], nameOf: (lock: Permits) => string): string {
  const tasks = circle.map(({ permits, at, heldMeanwhile }, index) => {
    const before = circle[(index + circle.length - 1) % circle.length]!;
    const wanted = heldMeanwhile.filter(({ lock }) => lock === before.permits);
    const holds = wanted.map((hold) => `\n     holds ${nameOf(hold.lock)}, taken\n${hold.at}`);
    return `  ${index + 1}. waits for ${nameOf(permits)}\n${at}${holds.join("")}`;
  });
  return (
    "this would wait for ever, since each of these waits for the next, and the last for the first; take " +
    `locks in one order, or all in one call:\n${tasks.join("\n")}`
  );
}

/** Where the program took or asked for it: the stack without the part of it that is in here. */
function stackOfCaller(): string {
  const lines = new Error().stack?.split("\n").slice(1) ?? [];
  const caller = lines.findIndex((line) => !line.includes(ownFolder));
  return lines
    .slice(Math.max(0, caller))
    .map((line) => `   ${line}`)
    .join("\n");
}

const ownFolder = new URL(".", import.meta.url).href;

function taskStorage() {
  // Not imported, so that all the rest of this folder can be loaded where there is no such module.
  const { process } = globalThis as Partial<Pick<typeof globalThis, "process">>;
  const hooks = process?.getBuiltinModule("node:async_hooks");
  if (hooks === undefined) {
    throw new LockstepError(
      "unsupported",
      "deadlocks are detected by AsyncLocalStorage, which needs Node 20.16 or later",
    );
  }
  return new hooks.AsyncLocalStorage<Task>();
}
