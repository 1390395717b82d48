// Every figure that README.md quotes under "How fast" stands in bench/results. A comment that readers do not
// see says where, and vouches for the figures since the comment before it, in order:
//
//   took 21.5 µs<!-- bench: uncontended 1e6 / lockstep.pairsPerSecond -->
//   | 1.07 | 1.44 | <!-- bench: sync-locks mutex.{hundredWaiters,tenThousandWaiters}.ratio -->
//
// What follows the name of the bench is a path in its `figures`: of rounds, the median is meant. `*` and `/`
// are worked out from left to right. A figure that is no measurement is written as a word.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** What a bench found, by its name; undefined if there is no such bench. */
type Figures = (bench: string) => unknown;

const heading = "## How fast";

test("README.md quotes what was measured", () => {
  const found = findings(readFileSync("README.md", "utf8"), (bench) => {
    const path = `bench/results/${bench}.json`;
    if (!existsSync(path)) return undefined;
    return (JSON.parse(readFileSync(path, "utf8")) as { figures: unknown }).figures;
  });
  if (found.length > 0) expect.fail(`\n${found.join("\n")}\n`);
});

describe("the rule bites", () => {
  const figures: Record<string, unknown> = {
    locks: {
      mutex: { alone: { ratio: 1.074 }, crowded: { ratio: 1.4449 } },
      "@some/peer.js": { perSecond: 50_000 },
      contest: [{ most: 659 }, { most: 661 }, { most: 634 }],
      bytes: 312.4,
    },
  };
  const found = (text: string) =>
    findings(`# Title\n\n${heading}\n\n${text}\n\n## After\n\n9\n`, (bench) => figures[bench]);

  test.each([
    ["a figure that was measured", "1.07 times <!-- bench: locks mutex.alone.ratio -->"],
    ["fewer decimals", "1.4 <!-- bench: locks mutex.crowded.ratio -->"],
    ["a sum", "20 µs <!-- bench: locks 1e6 / @some/peer.js.perSecond -->"],
    ["the median of rounds", "659 <!-- bench: locks contest.most -->"],
    ["a percentage", "96 % <!-- bench: locks 100 * 634 / contest.most -->"],
    ["thousands", "50,000 <!-- bench: locks @some/peer.js.perSecond -->"],
    ["a round number", "310 bytes <!-- bench: locks bytes -->"],
    ["several at once", "| 1.07 | 1.44 | <!-- bench: locks mutex.{alone,crowded}.ratio -->"],
    ["words, code, names and links", "ten thousand, `npm 10`, p99, [here](docs/12.md)"],
  ])("it takes %s", (_what, text) => {
    expect(found(text)).toEqual([]);
  });

  test.each([
    ["a figure that nobody vouches for", "1.07 times as fast", "no comment"],
    ["one between two that are vouched for", "3 and 1.07 <!-- bench: locks mutex.alone.ratio -->", "vouches"],
    ["another figure", "1.08 <!-- bench: locks mutex.alone.ratio -->", "is 1.074"],
    ["a figure rounded in our favour", "1.45 <!-- bench: locks mutex.crowded.ratio -->", "is 1.4449"],
    ["a round number that is too round", "300 <!-- bench: locks bytes -->", "is 312.4"],
    ["another order", "1.44 1.07 <!-- bench: locks mutex.{alone,crowded}.ratio -->", "is 1.074"],
    ["a comment that vouches for nothing", "fast <!-- bench: locks bytes -->", "vouches"],
    ["a path that leads nowhere", "1.07 <!-- bench: locks mutex.idle.ratio -->", "alone, crowded"],
    ["a path that stops early", "1.07 <!-- bench: locks mutex.alone -->", "ratio"],
    ["a bench that does not exist", "1.07 <!-- bench: lock mutex.alone.ratio -->", "lock.json"],
  ])("it refuses %s", (_what, text, message) => {
    expect(found(text).join("\n")).toContain(message);
  });

  test("it refuses a page without that section", () => {
    expect(findings("# Title\n", () => undefined)).not.toEqual([]);
  });
});

/** What is wrong with the section, line by line. */
function findings(page: string, figures: Figures): string[] {
  const begin = page.indexOf(`${heading}\n`);
  if (begin < 0) return [`README.md:1: there is no section "${heading}"`];
  const end = page.indexOf("\n## ", begin);
  const section = blank(page.slice(0, end < 0 ? undefined : end), /```[^]*?```|`[^`]*`|\]\([^)]*\)/g);
  const at = (index: number) => `README.md:${section.slice(0, index).split("\n").length}`;

  const found: string[] = [];
  let quotes: RegExpMatchArray[] = [];
  const tokens = /<!--\s*bench:\s*(\S+)\s+([^]*?)\s*-->|(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w])/g;
  tokens.lastIndex = begin;
  for (let token = tokens.exec(section); token; token = tokens.exec(section)) {
    const [text, bench, expression] = token;
    if (bench === undefined || expression === undefined) {
      quotes.push(token);
      continue;
    }
    const sources = expand(expression);
    if (sources.length !== quotes.length) {
      found.push(`${at(token.index)}: ${text} vouches for ${sources.length} figures, not ${quotes.length}`);
    } else {
      for (const [index, source] of sources.entries()) {
        const objection = objectionTo(quotes[index]![0], bench, source, figures);
        if (objection !== undefined) found.push(`${at(quotes[index]!.index!)}: ${objection}`);
      }
    }
    quotes = [];
  }
  for (const { 0: text, index } of quotes) {
    found.push(`${at(index!)}: no comment says where ${text} comes from; if it is not measured, use a word`);
  }
  return found;
}

function objectionTo(quote: string, bench: string, source: string, figures: Figures): string | undefined {
  const all = figures(bench);
  if (all === undefined) return `bench/results/${bench}.json does not exist: npm run bench -- ${bench}`;
  try {
    const figure = valueOf(source, all);
    if (Math.abs(figure - Number(quote.replaceAll(",", ""))) <= roundedBy(quote) / 2 + 1e-9) return undefined;
    return `${quote} is ${figure} in bench/results/${bench}.json (${source})`;
  } catch (error) {
    return `${(error as Error).message} in bench/results/${bench}.json (${source})`;
  }
}

/** The worth of the last digit that counts: zeros at the end do not, but two digits always do. */
function roundedBy(quote: string): number {
  const digits = quote.replaceAll(",", "");
  const decimals = digits.split(".")[1];
  if (decimals !== undefined) return 10 ** -decimals.length;
  const zeros = /0*$/.exec(digits)![0].length;
  return 10 ** Math.max(0, Math.min(zeros, digits.length - 2));
}

/** `mutex.{a,b}.ratio` is `mutex.a.ratio` and `mutex.b.ratio`. */
function expand(expression: string): string[] {
  const braces = /^([^{]*)\{([^}]*)\}([^]*)$/.exec(expression);
  if (!braces) return [expression];
  const [, before, choices, after] = braces as unknown as [string, string, string, string];
  return choices.split(",").flatMap((choice) => expand(before + choice.trim() + after));
}

function valueOf(source: string, figures: unknown): number {
  const [first, ...rest] = source.split(/\s+([*/])\s+/);
  let value = operand(first!, figures);
  for (let index = 0; index < rest.length; index += 2) {
    const next = operand(rest[index + 1]!, figures);
    value = rest[index] === "*" ? value * next : value / next;
  }
  return value;
}

function operand(source: string, figures: unknown): number {
  const number = Number(source);
  return Number.isNaN(number) ? median(numbersAt(source, figures)) : number;
}

/** A key may hold dots itself. */
function numbersAt(path: string, value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap((item) => numbersAt(path, item));
  if (path === "" && typeof value === "number") return [value];
  const entries = Object.entries(value ?? {});
  const way = entries
    .filter(([key]) => path === key || path.startsWith(`${key}.`))
    .reduce<[string, unknown] | undefined>((a, b) => (a && a[0].length > b[0].length ? a : b), undefined);
  if (!way) throw new Error(`there is no "${path}", only ${entries.map(([key]) => key).join(", ")}`);
  return numbersAt(path.slice(way[0].length + 1), way[1]);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** With spaces for what matches, so that every line stays where it is. */
function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (match) => match.replace(/[^\n]/g, " "));
}
