import { systemClock, type Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import type { Client, History, Operation, Outcome } from "./history.js";

export interface RecorderOptions {
  /**
   * What a call that threw did: "fail" if it certainly changed nothing. By default only a LockstepError that
   * says so for sure counts as "fail", and all else is "unknown": a lost reply looks like any other error.
   */
  readonly outcomeOf?: ((error: unknown) => "fail" | "unknown") | undefined;
  /** The clock that pictures are drawn by. */
  readonly clock?: Clock | undefined;
}

/** An operation that has begun, for those who call it themselves. The first word about its end counts. */
export interface Begun {
  ok(result?: unknown): void;
  fail(): void;
  unknown(): void;
}

/** Writes down what one client does. */
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
  readonly #operations: Draft[] = [];
  readonly #times: number[] = [];

  constructor(options: RecorderOptions = {}) {
    checkOptions(options, ["outcomeOf", "clock"]);
    this.#outcomeOf = options.outcomeOf ?? outcomeOf;
    this.#clock = options.clock ?? systemClock;
  }

  client(client: Client): RecordedClient {
    if (typeof client !== "string" && typeof client !== "number") {
      throw new LockstepError("bad-input", `a client is a string or a number, not ${shown(client)}`);
    }
    return {
      call: (name, ...argsAndRun) => this.#call(client, name, argsAndRun),
      invoke: (name, ...args) => this.#begin(client, name, args),
    };
  }

  /** What happened so far. What has not ended yet has an unknown outcome. */
  get history(): History {
    return { operations: this.#operations.map((operation) => ({ ...operation })), times: [...this.#times] };
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
    try {
      const result = await (run as () => T)();
      begun.ok(result);
      return result;
    } catch (error) {
      if (this.#outcomeOf(error) === "fail") begun.fail();
      else begun.unknown();
      throw error;
    }
  }

  #begin(client: Client, name: string, args: unknown[]): Begun {
    if (typeof name !== "string" || name === "") {
      throw new LockstepError("bad-input", `an operation has a name, not ${shown(name)}`);
    }
    // Copied: what the caller does with its own afterwards is not what it asked for.
    const draft: Draft = {
      client,
      name,
      args: args.map(copied),
      result: undefined,
      outcome: "unknown",
      invoked: this.#moment(),
      returned: Infinity,
    };
    this.#operations.push(draft);
    let isOpen = true;
    const end = (outcome: Outcome, result?: unknown) => {
      if (!isOpen) return;
      isOpen = false;
      if (outcome === "unknown") return;
      draft.outcome = outcome;
      draft.result = copied(result);
      draft.returned = this.#moment();
    };
    return {
      ok: (result) => end("ok", result),
      fail: () => end("fail"),
      unknown: () => end("unknown"),
    };
  }

  #moment(): number {
    return this.#times.push(this.#clock.now()) - 1;
  }
}

/** Writes down what clients do, so that a checker can say which promise was kept. */
export function recorder(options?: RecorderOptions): Recorder {
  return new Recorder(options);
}

function outcomeOf(error: unknown): "fail" | "unknown" {
  const changedNothing = ["timeout", "deadlock", "bad-input", "misuse", "unsupported", "missing-peer"];
  const isSure =
    error instanceof LockstepError && error.applied === "no" && changedNothing.includes(error.code);
  return isSure ? "fail" : "unknown";
}

function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}
