import type { Census, Contender, Holding } from "../coordination/census.js";
import type { Guarantees } from "../store/guarantees.js";
import { withoutPassword } from "../store/server-address.js";
import { formatDuration } from "./duration.js";
import { guaranteesText } from "./guarantees-text.js";
import { bold, dim } from "./style.js";
import { table } from "./table.js";

/** The census, for people. */
export function statusText(census: Census, guarantees: Guarantees, address: string): string {
  const { locks, elections, sessions } = census;
  const parts = [`${bold(guarantees.engine)} ${withoutPassword(address)}\n`];
  parts.push(holdingsText("Locks", "holds", locks), holdingsText("Elections", "leads", elections));
  const rows = sessions.map(({ id, label, ttlMs, remainingMs }) => [
    id,
    formatDuration(ttlMs),
    formatDuration(remainingMs),
    label,
  ]);
  parts.push(section("Sessions", ["SESSION", "TTL", "EXPIRES IN", "WHO"], rows), promisesText(guarantees));
  return parts.join("\n");
}

function promisesText(guarantees: Guarantees): string {
  const rows = guaranteesText(guarantees);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, worth]) => `  ${dim(name.padEnd(width))}  ${worth}\n`);
  return `${bold("Promises")}\n${lines.join("")}`;
}

function holdingsText(title: string, verb: string, holdings: readonly Holding[]): string {
  const rows = holdings.flatMap(({ name, holder, queue }) => [
    row(name, verb, holder),
    ...queue.map((contender, index) => row("", `waits, ${index + 1}.`, contender)),
  ]);
  const headings = ["NAME", "", "TOKEN", "AGE", "EXPIRES IN", "WHO"];
  const hasValues = holdings.some(({ holder, queue }) => [holder, ...queue].some(({ value }) => value));
  if (hasValues) headings.push("VALUE");
  return section(title, headings, rows);
}

function row(name: string, place: string, contender: Contender): string[] {
  const { token, ageMs, expiresInMs, label, value = "" } = contender;
  return [name, place, token.toString(), formatDuration(ageMs), formatDuration(expiresInMs), label, value];
}

function section(title: string, headings: string[], rows: string[][]): string {
  if (rows.length === 0) return `${bold(title)}: ${dim("none")}\n`;
  return `${bold(title)}\n${table(headings, rows)}`;
}
