import type { Census, Contender, Holding } from "../coordination/census.js";
import type { Guarantees } from "../store/guarantees.js";
import { formatDuration } from "./duration.js";
import { bold, dim } from "./style.js";
import { table } from "./table.js";

/** The census, for people. */
export function statusText(census: Census, guarantees: Guarantees, address: string): string {
  const { locks, elections, sessions } = census;
  const parts = [storeText(guarantees, address)];
  parts.push(holdingsText("Locks", "holds", locks), holdingsText("Elections", "leads", elections));
  const rows = sessions.map(({ id, label, ttlMs, remainingMs }) => [
    id,
    formatDuration(ttlMs),
    formatDuration(remainingMs),
    label,
  ]);
  parts.push(section("Sessions", ["SESSION", "TTL", "EXPIRES IN", "WHO"], rows));
  return parts.join("\n");
}

function storeText(guarantees: Guarantees, address: string): string {
  const { engine, reach, durable, fence, expiryClock, noticesDeath } = guarantees;
  const reaches = { process: "this process only", host: "one host", network: "many hosts" };
  const survives = {
    no: "nothing is kept",
    process: "keys survive a crash",
    power: "keys survive power loss",
  };
  const promises = [
    `reach: ${reaches[reach]}`,
    survives[durable],
    `tokens: ${fence}`,
    `expiry by the clock of the ${expiryClock}`,
    noticesDeath ? "a killed holder is noticed at once" : "a killed holder is noticed by its TTL",
  ];
  return `${bold(engine)} ${address}\n${dim(promises.join(" · "))}\n`;
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
