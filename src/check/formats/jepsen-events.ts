import { shown } from "../../base/shown.js";
import type { History } from "../history.js";
import { isSame } from "../identity.js";
import { HistoryDraft, type OperationDraft } from "./history-draft.js";
import type { Source } from "./source.js";
import { isExact } from "./tagged-value.js";

/** What one map of Jepsen's says, whatever notation it was in; keywords are strings here. */
export interface JepsenEvent {
  readonly process?: unknown;
  readonly type?: unknown;
  readonly f?: unknown;
  readonly key?: unknown;
  readonly value?: unknown;
  /** In nanoseconds. */
  readonly time?: unknown;
}

/** They ask for a value, so that the one they are called with says nothing. */
const asking = ["read", "r", "get", "dequeue", "pop", "peek"];
/** They give a value, which may be nil. */
const giving = ["write", "w", "put", "append", "add", "enqueue", "push"];
const accesses = ["r", "w", "append"];

/**
 * Turns Jepsen's events into operations: what a process is called with becomes its arguments, and what it
 * answers its result, unless it only says again what it was called with.
 */
export class JepsenEvents {
  readonly #source: Source;
  readonly #draft: HistoryDraft;
  #isKeyed = false;

  constructor(source: Source) {
    this.#source = source;
    this.#draft = new HistoryDraft(source, "process");
  }

  add(event: JepsenEvent): void {
    const { process, type } = event;
    if (process === undefined || process === null) {
      throw this.#source.malformed("the process is missing; expected an integer, or a name such as :nemesis");
    }
    if (typeof process === "bigint" || (typeof process === "number" && !isExact(process))) {
      throw this.#source.malformed(`the process is ${process}; expected an integer that JSON does not round`);
    }
    // The nemesis and its like do nothing to the object.
    if (!Number.isInteger(process)) return;
    const ms = typeof event.time === "number" ? event.time / 1e6 : undefined;
    switch (type) {
      case "invoke":
        this.#call(process as number, event, ms);
        break;
      case "ok":
        this.#draft.answer(process as number, "ok", this.#result(process as number, event), ms);
        break;
      case "fail":
      case "info":
        this.#checkName(process as number, event);
        this.#draft.answer(process as number, type === "fail" ? "fail" : "unknown", undefined, ms);
        break;
      default:
        throw this.#source.malformed(`the type is ${shown(type)}; expected :invoke, :ok, :fail or :info`);
    }
  }

  /** An answer whose meaning is known otherwise. */
  answer(process: number, event: JepsenEvent, result: unknown): void {
    this.#checkName(process, event);
    this.#draft.answer(process, "ok", result, undefined);
  }

  history(): History {
    if (this.#isKeyed) for (const operation of this.#draft.operations) this.#splitKey(operation);
    return this.#draft.history();
  }

  #call(process: number, event: JepsenEvent, ms: number | undefined): void {
    const name = this.#name(event);
    const args = this.#args(name, event);
    this.#draft.call(process, process, name, "key" in event ? [event.key, ...args] : args, ms);
  }

  #name({ f, value }: JepsenEvent): string {
    if (f === "txn" || isTransaction(value)) return "txn";
    if (typeof f === "string" && f !== "") return f;
    throw this.#source.malformed(`:f is ${shown(f)}; expected the operation's name, such as :read`);
  }

  #args(name: string, { value }: JepsenEvent): unknown[] {
    if (name === "txn") {
      if (isTransaction(value)) return [value];
      throw this.#source.malformed(
        `the transaction is ${shown(value)}; expected such as [[:r 1 nil] [:append 1 2]]`,
      );
    }
    if (asking.includes(name)) {
      if (!isPair(value)) return [];
      // Only a key can be known before the answer: it was made by jepsen.independent. All else is a riddle.
      if (value[0] !== null && value[1] === null) this.#isKeyed = true;
      else throw this.#source.malformed(`${name} is called with a pair; expected nil, or [key nil]`);
      return [value[0]];
    }
    if (name === "cas") {
      if (isPair(value)) return [...value];
      throw this.#source.malformed(
        `the value of cas is ${shown(value)}; expected such as [1 2], the old and the new`,
      );
    }
    return valueArgs(name, value);
  }

  #result(process: number, event: JepsenEvent): unknown {
    this.#checkName(process, event);
    const { name, args } = this.#draft.called(process);
    const { value } = event;
    if (name === "cas") return true;
    if (name === "txn") {
      const [asked] = args as [readonly unknown[]];
      if (isTransaction(value) && value.length === asked.length) return value;
      throw this.#source.malformed(
        `the transaction answers ${shown(value)}; expected the ${asked.length} parts it called`,
      );
    }
    if (asking.includes(name)) return value ?? null;
    return isSame(value, args.at(-1)) ? undefined : value;
  }

  #checkName(process: number, event: JepsenEvent): void {
    const { name } = this.#draft.called(process);
    const { f = name } = event;
    if (f === name || name === "txn") return;
    throw this.#source.malformed(
      `process ${process} answers ${shown(f)}; expected the answer to its ${name}`,
    );
  }

  /** `write [key value]` is `write key value`, once it is known that all values are such tuples. */
  #splitKey(operation: OperationDraft): void {
    const { name, args, result } = operation;
    this.#source.line = this.#draft.lineOf(operation);
    const expected = "expected [key value], as the other values are";
    if (asking.includes(name)) {
      if (args.length !== 1) throw this.#source.malformed(`${name} has no key; ${expected}`);
      if (operation.outcome !== "ok") return;
      if (!isPair(result)) throw this.#source.malformed(`${name} answers ${shown(result)}; ${expected}`);
      operation.result = result[1];
      return;
    }
    const tuple = name === "cas" ? args : args[0];
    if (!isPair(tuple)) throw this.#source.malformed(`the value of ${name} is ${shown(tuple)}; ${expected}`);
    const [key, value] = tuple;
    if (name === "cas" && !isPair(value))
      throw this.#source.malformed(`cas is called with ${shown(value)}; ${expected}`);
    operation.args = [key, ...(name === "cas" ? (value as unknown[]) : valueArgs(name, value))];
    if (isPair(result)) operation.result = result[1];
  }
}

function valueArgs(name: string, value: unknown): unknown[] {
  return (value === undefined || value === null) && !giving.includes(name) ? [] : [value];
}

/** Whether the value is a list of reads and writes, such as `[[:r 1 nil] [:append 1 2]]`. */
function isTransaction(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every(isAccess);
}

function isAccess(part: unknown): boolean {
  return Array.isArray(part) && part.length === 3 && accesses.includes(part[0] as string);
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}
