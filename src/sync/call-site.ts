/** Where the program called in here. A stack is cheap to take and dear to read: it is read when asked for. */
export class CallSite {
  /** A stack can be read in one form only: as text, for people, with source maps; or call by call. */
  readonly #text = new Error();
  readonly #structure = new Error();
  #readLines: readonly string[] | undefined;
  #readStack: Stack | undefined;

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
    return this.#lines[0] ?? "at a place that left no trace";
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

  /**
   * Whether the traces prove that who waited for the other call went on, and waits for this one by now: both
   * were made at one place, and on the way up one function is seen first at one `await`, then at another.
   * Nothing is proved where a trace ends before that.
   */
  isAwaitedAfter(other: CallSite): boolean {
    const [{ way, callers }, { way: otherWay, callers: otherCallers }] = [this.#stack, other.#stack];
    if (way.length !== otherWay.length || way.some((at, i) => at !== otherWay[i])) return false;
    let [i, j] = [callers.length - 1, otherCallers.length - 1];
    while (i >= 0 && j >= 0 && callers[i]!.position === otherCallers[j]!.position) [i, j] = [i - 1, j - 1];
    return i >= 0 && j >= 0 && callers[i]!.code === otherCallers[j]!.code;
  }

  /** Whether the program was at one point when both were made: it has run none of its own code in between. */
  isOneStepWith(other: CallSite): boolean {
    return this.#stack.top === other.#stack.top;
  }

  toString(): string {
    const lines = [this.place, ...this.#lines.slice(1, Error.stackTraceLimit)];
    return lines.map((line) => `       ${line}`).join("\n");
  }

  /** Dearest of all, where source maps are looked up for it. */
  get #lines(): readonly string[] {
    return (this.#readLines ??= linesOf(this.#text, this.#stack.all));
  }

  get #stack(): Stack {
    return (this.#readStack ??= stackOf(callsIn(this.#structure)));
  }
}

interface Stack {
  readonly all: readonly NodeJS.CallSite[];
  /** The positions that led to the place since the last `await`, the innermost first. */
  readonly way: readonly string[];
  /** The functions that await it, the innermost first. */
  readonly callers: readonly Caller[];
  /** The innermost position in the program, if any. */
  readonly top: string | undefined;
  /** How many calls of the innermost function there are, before and after any `await`. */
  readonly depth: number;
}

interface Caller {
  /** Where it awaits. */
  readonly position: string;
  /** Where the function begins: many have no name. */
  readonly code: string;
}

function stackOf(all: readonly NodeJS.CallSite[]): Stack {
  const calls = all.filter((call) => !isOf(call, ownFolder));
  const end = calls.findIndex((call, index) => index > 0 && (call.isAsync() || isOf(call, "node:")));
  const name = calls[0]?.getFunctionName();
  const program = calls.find((call) => !isOf(call, "node:"));
  return {
    all,
    way: calls.slice(0, end < 0 ? undefined : end).map(positionOf),
    callers: (end < 0 ? [] : calls.slice(end)).filter((call) => call.isAsync()).map(callerOf),
    top: program && positionOf(program),
    depth: calls.filter((call) => call.getFunctionName() === name).length,
  };
}

/** The program's part of a stack, as it is shown. */
function linesOf(text: Error, all: readonly NodeJS.CallSite[]): readonly string[] {
  const isShown = (call: NodeJS.CallSite | undefined) =>
    call && !isOf(call, ownFolder) && !isOf(call, "node:");
  const lines = text.stack?.split("\n").slice(1) ?? [];
  // By the calls, for source maps may have changed the names of files in the text.
  return lines.filter((_line, index) => isShown(all[index])).map((line) => line.trim());
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

function callerOf(call: NodeJS.CallSite): Caller {
  const begin = `${call.getEnclosingLineNumber()}:${call.getEnclosingColumnNumber()}`;
  return { position: positionOf(call), code: `${call.getFileName()}:${begin}` };
}
