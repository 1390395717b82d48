import type { Client, History, Operation, Outcome } from "../history.js";
import type { Source } from "./source.js";

/** An operation while it is read. */
export interface OperationDraft extends Operation {
  args: readonly unknown[];
  result: unknown;
  outcome: Outcome;
  returned: number;
}

/** Beyond so many, they are values that no two operations share. */
const mostShared = 10_000;
const noArgs: readonly unknown[] = Object.freeze([]);

/** Pairs the calls and the answers of a file, in the order of its lines, and makes a history of them. */
export class HistoryDraft {
  readonly operations: OperationDraft[] = [];
  readonly #source: Source;
  readonly #caller: string;
  /** By what answers are told apart: an id, or the process that calls one thing after the other. */
  readonly #open = new Map<Client, OperationDraft>();
  readonly #strings = new Map<string, string>();
  readonly #lines: number[] = [];
  readonly #times: number[] = [];
  #isTimed = true;

  constructor(source: Source, caller: "id" | "process") {
    this.#source = source;
    this.#caller = caller;
  }

  /** The arguments become the history's own. */
  call(caller: Client, client: Client, name: string, args: unknown[], ms: number | undefined): void {
    const before = this.#open.get(caller);
    if (before) {
      throw this.#source.malformed(
        `${this.#caller} ${caller} calls again; expected the answer to its ${before.name} ` +
          `of line ${this.lineOf(before)} first`,
      );
    }
    const operation: OperationDraft = {
      client: typeof client === "string" ? this.#shared(client) : client,
      name: this.#shared(name),
      args: this.#compact(args),
      result: undefined,
      outcome: "unknown",
      invoked: this.#moment(ms),
      returned: Infinity,
    };
    this.#open.set(caller, operation);
    this.operations.push(operation);
  }

  /** The call that is answered now. */
  called(caller: Client): OperationDraft {
    const operation = this.#open.get(caller);
    if (operation) return operation;
    throw this.#source.malformed(
      `${this.#caller} ${caller} has no call open; expected the call before its answer`,
    );
  }

  answer(caller: Client, outcome: Outcome, result: unknown, ms: number | undefined): void {
    const operation = this.called(caller);
    this.#open.delete(caller);
    // It may take effect at any later time, so that its end is no moment of the history.
    if (outcome === "unknown") return;
    operation.outcome = outcome;
    operation.result = result;
    operation.returned = this.#moment(ms);
  }

  lineOf(operation: OperationDraft): number {
    return this.#lines[operation.invoked]!;
  }

  /** What was called and never answered has an unknown outcome. */
  history(): History {
    const { operations } = this;
    const times = this.#isTimed && operations.length > 0 ? this.#times : undefined;
    return { operations, lines: this.#lines, times };
  }

  #moment(ms: number | undefined): number {
    if (ms === undefined) this.#isTimed = false;
    else if (this.#isTimed) this.#times.push(ms);
    return this.#lines.push(this.#source.line) - 1;
  }

  #compact(args: unknown[]): readonly unknown[] {
    if (args.length === 0) return noArgs;
    const [first] = args;
    // It is a key, most likely.
    if (typeof first === "string") args[0] = this.#shared(first);
    return args;
  }

  /** One string for all that are equal: there are few names and keys, and many operations. */
  #shared(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size < mostShared) this.#strings.set(text, text);
    return text;
  }
}
