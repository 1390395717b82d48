// The real thing: processes that fight for the same locks on one store, while they are killed and frozen at
// random. LOCKSTEP_STRESS_MS makes it last longer, LOCKSTEP_SEED repeats a run as far as an operating system
// repeats.
//
// One limit is known and tolerated: on LMDB, a process that is frozen in the microseconds of its write
// transaction keeps all others from writing until it goes on or is killed. That costs time, at most that of
// the freeze.
import { connect, type Lockstep } from "lockstep";
import { SeededRandom } from "lockstep/base";
import { mergeHistories, readHistory, type History } from "lockstep/check";
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Crew } from "./crew.js";
import { freezeMs, judge } from "./judge-story.js";
import type { Freeze, Line, Story, Written } from "./story.js";

const stressMs = Number(process.env["LOCKSTEP_STRESS_MS"] ?? 0);
const seed = Number(process.env["LOCKSTEP_SEED"] ?? Date.now() % 1e9);

const fewestBlows = 5;

const now = () => Number(process.hrtime.bigint()) / 1e6;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Cast {
  readonly role: "locker" | "leader";
  readonly size: number;
  readonly names: readonly string[];
  readonly durationMs: number;
}

/** Declares the tests on the store of that address, with the least time to live that it takes. */
export function crashes(addressOf: () => string, ttlMs = 1000): void {
  const on = async (cast: Cast) => {
    console.log(`crash test (${cast.role}): LOCKSTEP_SEED=${seed}`);
    judge(await play(addressOf(), cast, ttlMs));
  };
  const timeout = stressMs + 120_000;

  test("locks among processes that are killed and frozen", { timeout }, () =>
    on({ role: "locker", size: 6, names: ["a", "b"], durationMs: 8000 }),
  );

  test("leaders that are killed and frozen", { timeout }, () =>
    on({ role: "leader", size: 4, names: ["e"], durationMs: 6000 }),
  );
}

async function play(address: string, { role, size, names, durationMs }: Cast, ttlMs: number): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-crash-"));
  const log = join(folder, "log");
  const random = new SeededRandom(seed);
  const crew = new Crew({ address, log, role, ttlMs, random });
  const ls = await connect(address);
  const stopWatching = new AbortController();
  const watching = watchRegisters(ls, stopWatching.signal);
  try {
    await Promise.all(Array.from({ length: size }, () => crew.hire()));
    const from = now();
    const done = await killAndFreeze(ls, crew, random, ttlMs, stressMs || durationMs);
    const to = now();
    await crew.dismiss();
    await nothingIsLeft(ls, names, ttlMs);
    stopWatching.abort();
    const told = { lines: readLog(log), writes: await watching, registers: await readRegisters(folder) };
    return { guarantees: ls.store.guarantees, seed, ttlMs, names, ...told, ...done, from, to };
  } finally {
    crew.end();
    await ls.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killAndFreeze(
  ls: Lockstep,
  crew: Crew,
  random: SeededRandom,
  ttlMs: number,
  durationMs: number,
): Promise<{ kills: Story["kills"]; freezes: Freeze[] }> {
  const kills: { pid: number; at: number }[] = [];
  const freezes: Freeze[] = [];
  const from = now();
  // As long as that, and longer on a machine that is too busy to do much harm in that time.
  while (now() - from < durationMs || kills.length + freezes.length < fewestBlows) {
    // By turns only kills, so that what follows is owed to them alone, and kills and freezes mixed.
    const isCalm = ((now() - from) / Math.min(durationMs, 20_000)) % 1 < 0.4;
    await pause(random.below(ttlMs * (isCalm ? 1.4 : 0.7)));
    // Never the last two who run.
    if (crew.running.length <= 2) continue;
    const victim = await pick(ls, crew, random);
    if (victim === undefined) continue;
    if (isCalm || random.chance(0.3)) {
      kills.push({ pid: victim.pid!, at: now() });
      crew.kill(victim);
      void crew.hire();
    } else {
      const freeze = { pid: victim.pid!, from: now(), to: Infinity };
      freezes.push(freeze);
      void crew.freeze(victim, freezeMs(ttlMs) + random.below(200)).then(() => (freeze.to = now()));
    }
  }
  return { kills, freezes };
}

/** Anyone, but rather one who holds something. */
async function pick(ls: Lockstep, crew: Crew, random: SeededRandom) {
  const { running } = crew;
  const anyone = running[random.below(running.length)];
  if (random.chance(0.2)) return anyone;
  const { locks, elections } = await ls.census();
  const holders = [...locks, ...elections].map(({ holder }) => Number(holder.label.split(":").at(-1)));
  return crew.running.find((child) => holders.includes(child.pid!)) ?? anyone;
}

/** What the last ones killed left behind goes with them, or with their sessions; then all is free. */
async function nothingIsLeft(ls: Lockstep, names: readonly string[], ttlMs: number): Promise<void> {
  const left = async () => {
    const { sessions, locks, elections } = await ls.census();
    return { sessions: sessions.length, locks, elections };
  };
  for (const end = now() + 3 * ttlMs; now() < end && (await left()).sessions > 0;) await pause(50);
  expect(await left()).toEqual({ sessions: 0, locks: [], elections: [] });
  for (const name of names) expect((await ls.lock(name).tryAcquire())?.isHeld).toBe(true);
}

/** Every write to every register, in the order in which they were made, where the engine tells each. */
async function watchRegisters(ls: Lockstep, signal: AbortSignal): Promise<Story["writes"]> {
  const { watch, push } = ls.store.guarantees;
  const writes = new Map<string, Written[]>();
  let isWhole = push === "data";
  try {
    for await (const change of ls.kv.watch("register/", { signal })) {
      if (change.kind === "resync" && change.entries.length > 0) {
        expect(watch, "the watcher fell behind").toBe("resync");
        isWhole = false;
      }
      if (change.kind !== "put") continue;
      const { token, count } = JSON.parse(change.entry.text) as { token: string; count: number };
      const name = change.key.slice("register/".length);
      writes.set(name, [...(writes.get(name) ?? []), { token: BigInt(token), count }]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return isWhole ? writes : undefined;
}

function readLog(path: string): Line[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines
    .map((line) => {
      const { token, at, ...rest } = JSON.parse(line) as Line & { token: string; at: string };
      return { ...rest, token: BigInt(token), at: Number(BigInt(at)) / 1e6 };
    })
    .sort((a, b) => a.at - b.at);
}

/** What each of the processes has written down, as one history. */
async function readRegisters(folder: string): Promise<History> {
  const files = readdirSync(folder).filter((name) => name.startsWith("log."));
  const parts = files.map((name) => readHistory(createReadStream(join(folder, name), "utf8")));
  return mergeHistories(...(await Promise.all(parts)));
}
