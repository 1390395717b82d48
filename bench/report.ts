import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release } from "node:os";
import { peerVersions } from "./peers.js";

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a bench found. */
export interface Report extends Table {
  readonly further?: readonly Table[];
  readonly targets: readonly Target[];
  /** The figures themselves, for results/. */
  readonly figures: Record<string, unknown>;
}

export interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const results = new URL("results/", import.meta.url);

/** Progress goes to stderr: in place on a terminal, line by line elsewhere. */
export function showProgress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K  ${text} ... ` : `  ${text}\n`);
}

export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}

export function print({ further = [], targets, ...first }: Report): void {
  for (const { title, head, rows } of [first, ...further]) {
    console.log(`\n${title}\n\n${table(head, rows)}\n`);
  }
  if (targets.length === 0) return;
  const verdicts = targets.map(({ what, target, measured, isMet }) => [
    what,
    target,
    measured,
    isMet ? "ok" : "SHORT",
  ]);
  console.log(`${table(["target", "wanted", "measured", ""], verdicts)}\n`);
}

/** When a bench began, and how busy the machine was before it was busy with that. */
export interface Start {
  readonly date: Date;
  readonly load: number[];
}

export function start(): Start {
  return { date: new Date(), load: loads() };
}

/** Writes results/NAME.json, with what one must know to compare it with another. */
export function save(name: string, { targets, figures }: Report, { date, load }: Start): void {
  const result = { bench: name, date: date.toISOString(), machine: machine(load), targets, figures };
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(result, undefined, 2)}\n`);
}

function machine(loadBefore: number[]) {
  return {
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    // Much above 0 before, or above the number of CPUs: others were at work too, and the figures are worth
    // less.
    loadBefore,
    load: loads(),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    packages: {
      lockstep: versionIn(new URL("../package.json", import.meta.url)),
      lmdb: lmdbVersion(),
      ...peerVersions(),
    },
  };
}

function loads(): number[] {
  return loadavg().map((load) => Number(load.toFixed(2)));
}

function lmdbVersion(): string {
  const entry = createRequire(import.meta.url).resolve("lmdb");
  return versionIn(new URL("../package.json", `file://${entry}`));
}

function versionIn(manifest: URL): string {
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** The first column to the left, all others to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  return [head, widths.map((width) => "-".repeat(width)), ...rows]
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join("   "),
    )
    .map((line) => `  ${line}`.trimEnd())
    .join("\n");
}
