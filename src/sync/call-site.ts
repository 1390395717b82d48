/** Where the program called in here. A stack is cheap to take and dear to read: it is read when asked for. */
export class CallSite {
  /** A stack can be read in one form only: as text, for people, with source maps; or call by call. */
  readonly #text = new Error();
  readonly #structure = new Error();
  #read: Stack | undefined;

  private constructor() {
    // Made by ofCaller().
  }

  static ofCaller(): CallSite {
    const limit = Error.stackTraceLimit;
    // The calls inside this folder must not use up what is shown of the program's own.
    Error.stackTraceLimit = limit + 10;
    const site = new CallSite();
    Error.stackTraceLimit = limit;
    return site;
  }

  /** The place itself, without who called there. */
  get place(): string {
    return this.#stack.lines[0] ?? "at a place that left no trace";
  }

  /**
   * Whether one function, going round in a loop, made both calls: they were made from one place, by one way
   * as far as both show it, and that function has not called itself in between.
   */
  isOneLoopWith(other: CallSite): boolean {
    const [{ way, depth }, { way: otherWay, depth: otherDepth }] = [this.#stack, other.#stack];
    // Only the first round shows who called the loop: after an `await` nobody calls it.
    const length = Math.min(way.length, otherWay.length);
    return length > 0 && depth === otherDepth && way.slice(0, length).every((at, i) => at === otherWay[i]);
  }

  toString(): string {
    const lines = [this.place, ...this.#stack.lines.slice(1, Error.stackTraceLimit)];
    return lines.map((line) => `       ${line}`).join("\n");
  }

  get #stack(): Stack {
    return (this.#read ??= read(this.#text, this.#structure));
  }
}

/** The program's part of a stack. */
interface Stack {
  /** As they are shown. */
  readonly lines: readonly string[];
  /** The positions that led to the place since the last `await`, the innermost first. */
  readonly way: readonly string[];
  /** How many calls of the innermost function there are, before and after any `await`. */
  readonly depth: number;
}

function read(text: Error, structure: Error): Stack {
  const all = callsIn(structure);
  const isShown = (call: NodeJS.CallSite | undefined) =>
    call && !isOf(call, ownFolder) && !isOf(call, "node:");
  const lines = text.stack?.split("\n").slice(1) ?? [];
  const calls = all.filter((call) => !isOf(call, ownFolder));
  const end = calls.findIndex((call, index) => index > 0 && (call.isAsync() || isOf(call, "node:")));
  const name = calls[0]?.getFunctionName();
  return {
    // By the calls, for source maps may have changed the names of files in the text.
    lines: lines.filter((_line, index) => isShown(all[index])).map((line) => line.trim()),
    way: calls.slice(0, end < 0 ? undefined : end).map(positionOf),
    depth: calls.filter((call) => call.getFunctionName() === name).length,
  };
}

function callsIn(error: Error): readonly NodeJS.CallSite[] {
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  const value = (_error: unknown, calls: unknown) => calls;
  Object.defineProperty(Error, "prepareStackTrace", { configurable: true, value });
  const calls: unknown = error.stack;
  if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
  else Object.defineProperty(Error, "prepareStackTrace", before);
  return Array.isArray(calls) ? (calls as NodeJS.CallSite[]) : [];
}

const ownFolder = new URL(".", import.meta.url).pathname;

function isOf(call: NodeJS.CallSite, folder: string): boolean {
  return call.getFileName()?.includes(folder) === true;
}

function positionOf(call: NodeJS.CallSite): string {
  return `${call.getFileName()}:${call.getLineNumber()}:${call.getColumnNumber()}`;
}
