import type { Held } from "../sync/held.js";

/** One of the concurrent tasks of a program; the first is the program itself. */
export class Task {
  readonly number: number;
  /** Who started it, and goes on when it ends. */
  readonly parent: Task | undefined;
  readonly body: () => unknown;
  hasEnded = false;
  /** What it threw, once it has ended so. */
  failure: { readonly error: unknown } | undefined;
  /** What it gave, once it has ended well. */
  value: unknown;
  #end: Promise<unknown> | undefined;
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  readonly #name: string | undefined;
  #held: Held[] | undefined;

  constructor(number: number, name: string | undefined, parent: Task | undefined, body: () => unknown) {
    this.number = number;
    this.#name = name;
    this.parent = parent;
    this.body = body;
  }

  /** What those await who await it. */
  get end(): Promise<unknown> {
    if (this.#end === undefined) {
      this.#end = new Promise(keepBoth);
      this.#resolve = keptResolve;
      this.#reject = keptReject;
    }
    return this.#end;
  }

  /** What it was called, or else its function, or else a number. */
  get name(): string {
    return (this.#name ?? this.body.name) || `task ${this.number}`;
  }

  /** What it was given to hold by locks; some of it may have been released. */
  get held(): readonly Held[] {
    return this.#held ?? [];
  }

  hold(held: Held): void {
    (this.#held ??= []).push(held);
  }

  /** Lets those go on who await it. */
  tellEnd(): void {
    this.hasEnded = true;
    if (this.failure === undefined) this.#resolve?.(this.value);
    else this.#reject?.(this.failure.error);
  }
}

// One executor for all promises, instead of a function for each.
let keptResolve: (value: unknown) => void;
let keptReject: (error: unknown) => void;
function keepBoth(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  keptResolve = resolve;
  keptReject = reject;
}
