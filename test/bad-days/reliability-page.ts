// docs/reliability.md: what became of every bad day on every engine. Each run leaves its outcomes behind, and
//
//   node --import ./test/simulation/source-loader.mjs test/bad-days/reliability-page.ts --write
//
// makes the page of them; each run fails where the page says something else.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Guarantees } from "lockstep/store";
import { format, resolveConfig } from "prettier";
import type { Day, Outcome } from "./day.js";
import { days } from "./days.js";

export const engines = ["memory", "lmdb", "etcd", "postgres", "redis", "zookeeper"] as const;
export type Engine = (typeof engines)[number];

const root = new URL("../../", import.meta.url);
export const pagePath = fileURLToPath(new URL("docs/reliability.md", root));

/** What each promise that is not given means on the days on which it shows. */
const limits: Partial<Record<keyof Guarantees, string>> = {
  failoverLosesCommits:
    "A server acknowledges a lock before another has heard of it, or before it is on disk. When it dies, " +
    "who comes after it does not know of that lock and grants it again, while the first holder, which has " +
    "heard of nothing, believes in it until its own deadline, at most one TTL. The second token is higher, " +
    "so whatever checks tokens refuses the first holder.",
  expiryMovesWithWallClock:
    "The server counts the life of sessions by its wall clock. Set an hour forward, it ends them all at " +
    "once; their holders learn of it at their next renewal, at most a third of the TTL later, or by their " +
    "own deadline. Set back, it keeps the dead for an hour. Let the clock be slewed, not set.",
  expiryClock:
    "The server ends a session by its clock, and the client knows when by its own. A margin of a tenth of " +
    "the TTL, at most half a second, makes up for clocks that run apart a little; a client whose clock is " +
    "slow by half believes too long, if the network is cut as well.",
};

const intro = `# Bad days

<!-- Written by test/bad-days/reliability-page.ts: change that, or the days in test/bad-days. -->

These are the days on which locks fail elsewhere. Each is a test that runs on every engine on which it can
happen: on real servers, through a proxy that loses and holds what passes, with processes that are frozen and
killed, and with clocks that lie. \`npm test\` plays them all.

Who was granted what, and until when they believed in it, is written down by one clock and judged by
\`lockstep/check\` as the history of a fenced mutex. What a lock protects is a register that refuses every
token lower than it has seen.

- **pass**: nobody believed to hold what another was granted, not even for a moment; and nobody waited for
  ever.
- **limit**: for a while two believed to hold the same lock, because the engine does not give the promise that
  is named; its \`guarantees\` say so. The test fails unless that shows, and unless the register refused the
  one who was late: on no engine and on no day it took a write that it should not have.
- **–**: it cannot happen there; the letter says why.
`;

export type Outcomes = ReadonlyMap<Engine, ReadonlyMap<Day, Outcome>>;

/** The page, as it is to be. */
export async function reliabilityPage(outcomes: Outcomes): Promise<string> {
  const reasons: string[] = [];
  const rows = days.map((day) => {
    const cells = engines.map((engine) => cellOf(outcomes.get(engine)?.get(day), reasons));
    return `| ${day.number} | ${day.title} | ${cells.join(" | ")} |`;
  });
  const head = [`| | day | ${engines.join(" | ")} |`, `|${"---|".repeat(engines.length + 2)}`];
  const letters = reasons.map((reason, index) => `- **${letterOf(index)}**: ${reason}.`);
  const meanings = Object.entries(limits).map(([name, text]) => `**\`${name}\`** ${text}`);
  const parts = [
    intro.trimEnd(),
    [...head, ...rows].join("\n"),
    letters.join("\n"),
    "## Limits",
    ...meanings,
  ];
  return format(parts.join("\n\n"), { ...(await resolveConfig(pagePath)), parser: "markdown" });
}

function cellOf(outcome: Outcome | undefined, reasons: string[]): string {
  switch (outcome?.is) {
    case undefined:
      return "not run";
    case "pass":
      return "pass";
    case "limit":
      return `limit: \`${outcome.of}\``;
    case "not applicable":
      if (!reasons.includes(outcome.why)) reasons.push(outcome.why);
      return `– ${letterOf(reasons.indexOf(outcome.why))}`;
  }
}

function letterOf(index: number): string {
  return String.fromCharCode("a".charCodeAt(0) + index);
}

/** What a page says; it is what it was made of. */
export function outcomesOf(page: string): Outcomes {
  const reasons = new Map(
    [...page.matchAll(/^- \*\*(?<letter>[a-z])\*\*: (?<why>.*)\.$/gm)].map(letterAndWhy),
  );
  const rows = page.split("\n").filter((line) => /^\| \d/.test(line));
  const cells = rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(
    engines.map((engine, column) => {
      const found = days.flatMap((day): [Day, Outcome][] => {
        const row = cells.find(([number, title]) => number === String(day.number) && title === day.title);
        const outcome = outcomeOf(row?.[column + 2] ?? "", reasons);
        return outcome ? [[day, outcome]] : [];
      });
      return [engine, new Map(found)];
    }),
  );
}

function letterAndWhy({ groups }: RegExpMatchArray): [string, string] {
  return [groups?.["letter"] ?? "", groups?.["why"] ?? ""];
}

function outcomeOf(cell: string, reasons: ReadonlyMap<string, string>): Outcome | undefined {
  const limit = /^limit: `(?<of>\w+)`$/.exec(cell)?.groups?.["of"];
  if (limit !== undefined) return { is: "limit", of: limit as keyof Guarantees };
  if (cell === "pass") return { is: "pass" };
  const why = reasons.get(/^– (?<letter>[a-z])$/.exec(cell)?.groups?.["letter"] ?? "");
  return why === undefined ? undefined : { is: "not applicable", why };
}

/** Where the last run on an engine left what became of its days. */
function recordOf(engine: Engine): URL {
  return new URL(`node_modules/.cache/lockstep-bad-days/${engine}.json`, root);
}

export function record(engine: Engine, outcomes: ReadonlyMap<Day, Outcome>): void {
  const path = fileURLToPath(recordOf(engine));
  mkdirSync(dirname(path), { recursive: true });
  const byTitle = [...outcomes].map(([{ number, title }, outcome]) => ({ number, title, outcome }));
  writeFileSync(path, JSON.stringify(byTitle));
}

function recorded(engine: Engine): Map<Day, Outcome> {
  const path = recordOf(engine);
  if (!existsSync(path)) return new Map();
  const all = JSON.parse(readFileSync(path, "utf8")) as { title: string; outcome: Outcome }[];
  return new Map(
    days.flatMap((day): [Day, Outcome][] => {
      const found = all.find(({ title }) => title === day.title);
      return found ? [[day, found.outcome]] : [];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--write")) {
  const outcomes = new Map(engines.map((engine) => [engine, recorded(engine)] as const));
  writeFileSync(pagePath, await reliabilityPage(outcomes));
}
