/** Where the program called in here. Stacks are cheap to take and dear to read, so they are read when asked for. */
export class CallSite {
  /** Each can be read once only: the one as text, for people, with source maps; the other call by call. */
  readonly #text = new Error();
  readonly #structure = new Error();
  #way: Way | undefined;

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
    this.#way ??= wayOf(this.#structure);
    other.#way ??= wayOf(other.#structure);
    const [{ calls, depth }, { calls: otherCalls, depth: otherDepth }] = [this.#way, other.#way];
    // Only the first round shows who called the loop: after an `await` nobody calls it.
    const length = Math.min(calls.length, otherCalls.length);
    return (
      length > 0 && depth === otherDepth && calls.slice(0, length).every((at, i) => at === otherCalls[i])
    );
  }

  toString(): string {
    return [this.place, ...this.#lines.slice(1, Error.stackTraceLimit)]
      .map((line) => `       ${line}`)
      .join("\n");
  }

  get #lines(): string[] {
    const lines = this.#text.stack?.split("\n").slice(1) ?? [];
    return lines
      .map((line) => line.trim())
      .filter((line) => !line.includes(ownFolder) && !line.includes("(node:"));
  }
}

interface Way {
  /** The calls that led to the place since the last `await`, the innermost first. */
  readonly calls: readonly string[];
  /** How many calls of the innermost function there are, before and after any `await`. */
  readonly depth: number;
}

const ownFolder = new URL(".", import.meta.url).pathname;

function wayOf(error: Error): Way {
  const prepared = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  Object.defineProperty(Error, "prepareStackTrace", {
    configurable: true,
    value: (_error: unknown, calls: unknown) => calls,
  });
  const calls = (error.stack as unknown as NodeJS.CallSite[]).filter((call) => !isOf(call, ownFolder));
  if (prepared === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
  else Object.defineProperty(Error, "prepareStackTrace", prepared);
  const name = calls[0]?.getFunctionName();
  const end = calls.findIndex((call, index) => index > 0 && (call.isAsync() || isOf(call, "node:")));
  return {
    calls: calls.slice(0, end < 0 ? undefined : end).map(positionOf),
    depth: calls.filter((call) => call.getFunctionName() === name).length,
  };
}

function isOf(call: NodeJS.CallSite, folder: string): boolean {
  return call.getFileName()?.includes(folder) === true;
}

function positionOf(call: NodeJS.CallSite): string {
  return `${call.getFileName()}:${call.getLineNumber()}:${call.getColumnNumber()}`;
}
