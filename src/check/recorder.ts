import { systemClock, type Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import { answerLine, callLine } from "./formats/event-line.js";
import { isExact } from "./formats/tagged-value.js";
import type { Client, History, Operation, Outcome } from "./history.js";
import { isSame } from "./identity.js";

export interface RecorderOptions {
  /**
   * What a call that threw did: "fail" if it certainly changed nothing. By default only a LockstepError that
   * says so for sure counts as "fail", and all else is "unknown": a lost reply looks like any other error.
   */
  readonly outcomeOf?: ((error: unknown) => "fail" | "unknown") | undefined;
  /** The clock that pictures are drawn by, and that histories of several processes are merged by. */
  readonly clock?: Clock | undefined;
  /**
   * Is given each call and each answer as a line of text when it happens, before the call is made: what it
   * has written, say with `appendFileSync`, is a history whatever becomes of the process.
   */
  readonly write?: ((line: string) => void) | undefined;
}

/** An operation that has begun, for those who call it themselves. The first word about its end counts. */
export interface Begun {
  readonly ok: (result?: unknown) => void;
  /** It certainly changed nothing, and never will. */
  readonly fail: () => void;
  readonly unknown: () => void;
}

/** Writes down what one client does. It does one thing after the other: who does two at a time is two. */
export interface RecordedClient {
  /** Calls the last argument, and writes down when it began, what it answered and when. */
  call<T>(name: string, ...argsAndRun: [...args: unknown[], run: () => T]): Promise<Awaited<T>>;
  /** Writes down a call that somebody else makes. */
  invoke(name: string, ...args: unknown[]): Begun;
}

interface Draft extends Operation {
  result: unknown;
  outcome: Outcome;
  returned: number;
}

/** Writes down what clients do, so that a checker can say which promise was kept. */
export class Recorder {
  readonly #clock: Clock;
  readonly #outcomeOf: (error: unknown) => "fail" | "unknown";
  readonly #write: ((line: string) => void) | undefined;
  readonly #operations: Draft[] = [];
  readonly #times: number[] = [];

  constructor(options: RecorderOptions = {}) {
    checkOptions(options, ["outcomeOf", "clock", "write"]);
    const { outcomeOf = usualOutcomeOf, clock = systemClock, write } = options;
    for (const [name, option] of Object.entries({ outcomeOf, write })) {
      if (option === undefined || typeof option === "function") continue;
      throw new LockstepError("bad-input", `${name} must be a function, not ${shown(option)}`);
    }
    this.#outcomeOf = outcomeOf;
    this.#clock = clock;
    this.#write = write;
  }

  client(client: Client): RecordedClient {
    if (typeof client !== "string" && !(typeof client === "number" && isExact(client))) {
      throw new LockstepError(
        "bad-input",
        `a client is a string or a number, and none that is rounded; not ${shown(client)}`,
      );
    }
    return {
      call: (name, ...argsAndRun) => this.#call(client, name, argsAndRun),
      invoke: (name, ...args) => this.#begin(client, name, args),
    };
  }

  /** What happened so far. What has not ended yet has an unknown outcome. */
  get history(): History {
    // What has ended never changes again, so that only the others need a copy.
    const operations = this.#operations.map((operation) =>
      operation.returned === Infinity ? { ...operation } : operation,
    );
    return { operations, times: this.#times.slice() };
  }

  async #call<T>(client: Client, name: string, argsAndRun: unknown[]): Promise<Awaited<T>> {
    const run = argsAndRun.at(-1);
    if (typeof run !== "function") {
      throw new LockstepError(
        "bad-input",
        `call(${shown(name)}, …) takes as its last argument the function that does it`,
      );
    }
    const begun = this.#begin(client, name, argsAndRun.slice(0, -1));
    let result: Awaited<T>;
    try {
      result = await (run as () => T)();
    } catch (error) {
      this.#threw(begun, error);
      throw error;
    }
    begun.ok(result);
    return result;
  }

  #threw(begun: Begun, error: unknown): void {
    let outcome: unknown;
    try {
      outcome = this.#outcomeOf(error);
    } finally {
      // Unless it was said that it failed, nobody knows.
      if (outcome === "fail") begun.fail();
      else begun.unknown();
    }
    if (outcome === "fail" || outcome === "unknown") return;
    const message = `outcomeOf must answer "fail" or "unknown", not ${shown(outcome)}`;
    throw new LockstepError("bad-input", message, { cause: error });
  }

  #begin(client: Client, name: string, args: unknown[]): Begun {
    if (typeof name !== "string" || name === "") {
      throw new LockstepError("bad-input", `an operation has a name, not ${shown(name)}`);
    }
    const id = this.#operations.length;
    const calledMs = this.#clock.now();
    this.#write?.(callLine(id, { client, name, args }, calledMs));
    // Copied: what the caller does with its own afterwards is not what it asked for.
    const draft: Draft = {
      client,
      name,
      args: args.map(copied),
      result: undefined,
      outcome: "unknown",
      invoked: this.#times.push(calledMs) - 1,
      returned: Infinity,
    };
    this.#operations.push(draft);
    let isOpen = true;
    const end = (outcome: Outcome, result?: unknown) => {
      if (!isOpen) return;
      isOpen = false;
      const ms = this.#clock.now();
      if (outcome !== "unknown") {
        draft.outcome = outcome;
        draft.result = copied(result);
        draft.returned = this.#times.push(ms) - 1;
      }
      this.#write?.(answerLine(id, outcome, result, ms));
    };
    return {
      ok: (result) => end("ok", result),
      fail: () => end("fail"),
      unknown: () => end("unknown"),
    };
  }
}

/** Writes down what clients do, so that a checker can say which promise was kept. */
export function recorder(options?: RecorderOptions): Recorder {
  return new Recorder(options);
}

function usualOutcomeOf(error: unknown): "fail" | "unknown" {
  const changedNothing = ["timeout", "deadlock", "bad-input", "misuse", "unsupported", "missing-peer"];
  const isSure =
    error instanceof LockstepError && error.applied === "no" && changedNothing.includes(error.code);
  return isSure ? "fail" : "unknown";
}

/** A copy that says the same; what cannot be copied so, such as an object with private fields, as it is. */
function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  try {
    const copy: unknown = structuredClone(value);
    return isSame(copy, value) ? copy : value;
  } catch {
    return value;
  }
}
