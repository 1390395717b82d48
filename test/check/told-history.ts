import type { History, Operation } from "lockstep/check";

/**
 * An operation as one tells it, and when it was: `["a write x 1", 0, 2]`, `["b read x → 1", 3, 5]`. Values
 * are JSON without spaces, or bare words. `→ ?` says that nobody knows the outcome, `→ failed` that it
 * failed.
 */
export type Told = readonly [text: string, from: number, to?: number];

/** The history of what is told, in whatever order. Moments that are equal come in the order told. */
export function told(...lines: readonly Told[]): History {
  const moments = lines
    .flatMap(([, from, to], line) => [
      { line, at: from, isCall: true },
      ...(to === undefined ? [] : [{ line, at: to, isCall: false }]),
    ])
    .sort((a, b) => a.at - b.at);
  const placeOf = (line: number, isCall: boolean) => {
    const place = moments.findIndex((moment) => moment.line === line && moment.isCall === isCall);
    return place < 0 ? Infinity : place;
  };
  const operations = lines.map(([text], line): Operation => {
    const [call = "", answer] = text.split(" → ");
    const [client = "", name = "", ...args] = call.split(" ");
    const outcome = answer === "?" ? "unknown" : answer === "failed" ? "fail" : "ok";
    return {
      client,
      name,
      args: args.map(valueOf),
      result: outcome === "ok" && answer !== undefined ? valueOf(answer) : undefined,
      outcome,
      invoked: placeOf(line, true),
      returned: outcome === "unknown" ? Infinity : placeOf(line, false),
    };
  });
  return { operations: operations.sort((a, b) => a.invoked - b.invoked) };
}

/** One after the other, each over before the next begins. */
export function oneByOne(...texts: readonly string[]): History {
  return told(...texts.map((text, index): Told => [text, 2 * index, 2 * index + 1]));
}

function valueOf(text: string): unknown {
  if (/^\d+n$/.test(text)) return BigInt(text.slice(0, -1));
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
