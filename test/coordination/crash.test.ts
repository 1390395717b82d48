// The real thing: processes that fight for the same locks on LMDB, while they are killed and frozen at
// random. LOCKSTEP_STRESS_MS makes it last longer, LOCKSTEP_SEED repeats a run as far as an operating system
// repeats.
//
// One limit is known and tolerated: a process that is frozen in the microseconds of its write transaction
// keeps all others from writing until it goes on or is killed. That costs time, at most that of the freeze.
import { connect } from "lockstep";
import { SeededRandom } from "lockstep/base";
import { casRegister, fencedMutex, mergeHistories, readHistory, type History } from "lockstep/check";
import { fork, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { mustBeLinearizable } from "../check/must-be-linearizable.js";
import { HoldersLog, type Tenancy } from "./holders-log.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const stressMs = Number(process.env["LOCKSTEP_STRESS_MS"] ?? 0);
const seed = Number(process.env["LOCKSTEP_SEED"] ?? Date.now() % 1e9);
const ttlMs = 700;
/** Longer than sessions live, so that who is frozen loses what it holds. */
const freezeMs = 1100;
/** The longest that a lock may stand still: a frozen writer, a frozen holder after it, and a slow machine. */
const mostIdleMs = freezeMs + ttlMs + 4000;

interface Line {
  name: string;
  what: "enter" | "exit";
  token: bigint;
  pid: number;
  at: number;
  /** Whether it was surely held at `at`. */
  isHeld: boolean;
}

interface Written {
  token: bigint;
  count: number;
}

/** What was done to whom, and what came of it. */
interface Story {
  lines: Line[];
  writes: Map<string, Written[]>;
  /** What was done with the registers. */
  registers: History;
  kills: { pid: number; at: number }[];
  /** Ends when it went on, or was killed. */
  freezes: { pid: number; from: number; to: number }[];
  from: number;
  to: number;
}

const now = () => Number(process.hrtime.bigint()) / 1e6;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

// The workers are users: they run what is built.
beforeAll(() => {
  const { status } = spawnSync(process.execPath, ["scripts/prepare.mjs"], { cwd: root, stdio: "inherit" });
  expect(status).toBe(0);
}, 120_000);

test("locks among processes that are killed and frozen", { timeout: stressMs + 90_000 }, async () => {
  const story = await run("locker", 6, ["a", "b"], stressMs || 8000);
  checkAll(story, ["a", "b"]);
});

test("leaders that are killed and frozen", { timeout: stressMs + 90_000 }, async () => {
  const story = await run("leader", 4, ["e"], stressMs || 4000);
  checkAll(story, ["e"]);
});

async function run(role: string, size: number, names: string[], durationMs: number): Promise<Story> {
  console.log(`crash test (${role}): LOCKSTEP_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), "lockstep-crash-"));
  const log = join(directory, "log");
  const kills: Story["kills"] = [];
  const freezes: Story["freezes"] = [];
  const crew = new Crew(directory, log, role, random);
  const ls = await connect(`lmdb:${directory}`, { ttlMs: 5000 });
  const stopWatching = new AbortController();
  const watching = watchRegisters(ls, stopWatching.signal);
  try {
    await Promise.all(Array.from({ length: size }, () => crew.hire()));
    const from = now();
    while (now() - from < durationMs) {
      // By turns only kills, so that what follows is owed to them alone, and kills and freezes mixed.
      const isCalm = ((now() - from) / Math.min(durationMs, 20_000)) % 1 < 0.4;
      await pause(random.below(isCalm ? 1000 : 500));
      const victim = await crew.pick(ls);
      if (victim === undefined) continue;
      if (isCalm || random.chance(0.3)) {
        kills.push({ pid: victim.pid!, at: now() });
        crew.kill(victim);
        void crew.hire();
      } else {
        const freeze = { pid: victim.pid!, from: now(), to: Infinity };
        freezes.push(freeze);
        void crew.freeze(victim, freezeMs + random.below(200)).then(() => (freeze.to = now()));
      }
    }
    const to = now();
    await crew.dismiss();
    // What the last one killed left behind goes with it, since its death is noticed.
    await pause(ttlMs * 1.5);
    expect((await ls.store.read({ prefix: "lock/" })).entries).toEqual([]);
    expect((await ls.store.read({ prefix: "election/" })).entries).toEqual([]);
    for (const name of names) expect((await ls.lock(name).tryAcquire())?.isHeld).toBe(true);
    const { sessions } = await ls.census();
    expect(sessions).toHaveLength(1);
    stopWatching.abort();
    const registers = await readRegisters(log);
    return { lines: readLog(log), writes: await watching, registers, kills, freezes, from, to };
  } finally {
    crew.end();
    await ls.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The processes at work. */
class Crew {
  readonly #args: string[];
  readonly #random: SeededRandom;
  readonly #members = new Set<ChildProcess>();
  readonly #frozen = new Set<ChildProcess>();
  readonly #hiring = new Set<Promise<void>>();
  readonly #thawing = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #closed = false;

  constructor(directory: string, log: string, role: string, random: SeededRandom) {
    this.#args = [directory, log, role];
    this.#random = random;
  }

  hire(): Promise<void> {
    const worker = fileURLToPath(new URL("crash-worker.ts", import.meta.url));
    const args = [...this.#args, String(this.#random.below(2 ** 31)), String(ttlMs)];
    const execArgv = ["--import", join(root, "scripts/typescript.mjs")];
    const child = fork(worker, args, { cwd: root, execArgv, stdio: ["ignore", "inherit", "pipe", "ipc"] });
    this.#members.add(child);
    let complaint = "";
    child.stderr?.on("data", (data: Buffer) => (complaint += data.toString()));
    child.on("exit", (code, signal) => {
      // Killed is what we do ourselves.
      if (this.#members.delete(child) && code !== 0) {
        this.#failures.push(`${child.pid} ended with ${code ?? signal}: ${complaint}`);
      }
    });
    const ready = new Promise<void>((resolve) => {
      child.once("message", () => {
        resolve();
      });
      child.once("exit", () => {
        resolve();
      });
    });
    this.#hiring.add(ready);
    void ready.then(() => this.#hiring.delete(ready));
    return ready;
  }

  /** Anyone, but rather one who holds something; never the last two who run. */
  async pick(ls: Awaited<ReturnType<typeof connect>>): Promise<ChildProcess | undefined> {
    const running = [...this.#members].filter((child) => !this.#frozen.has(child));
    if (running.length <= 2) return undefined;
    const anyone = running[this.#random.below(running.length)];
    if (this.#random.chance(0.2)) return anyone;
    const { locks, elections } = await ls.census();
    const holders = [...locks, ...elections].map(({ holder }) => Number(holder.label.split(":").at(-1)));
    return running.find((child) => holders.includes(child.pid!)) ?? anyone;
  }

  kill(child: ChildProcess): void {
    this.#members.delete(child);
    this.#frozen.delete(child);
    child.kill("SIGKILL");
  }

  /** By a process of its own: this one may be among those who wait for a frozen writer. */
  freeze(child: ChildProcess, ms: number): Promise<void> {
    this.#frozen.add(child);
    child.kill("SIGSTOP");
    // One in ten never wakes, but is killed in its sleep.
    const isDoomed = this.#random.chance(0.1);
    if (isDoomed) this.#members.delete(child);
    const script = `sleep ${ms / 1000}; kill -${isDoomed ? "KILL" : "CONT"} ${child.pid}`;
    const alarm = spawn("sh", ["-c", script], { stdio: "ignore" });
    const thawed = new Promise<void>((resolve) => {
      alarm.once("exit", () => {
        this.#frozen.delete(child);
        if (isDoomed && !this.#closed) void this.hire();
        resolve();
      });
    });
    this.#thawing.add(thawed);
    return thawed;
  }

  /** Lets everyone finish in good order; none may have failed. */
  async dismiss(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#thawing);
    await Promise.all(this.#hiring);
    const ends = [...this.#members].map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of this.#members) child.send("stop");
    await Promise.race([Promise.all(ends), pause(15_000)]);
    expect({ failures: this.#failures, stillThere: this.#members.size }).toEqual({
      failures: [],
      stillThere: 0,
    });
  }

  end(): void {
    for (const child of this.#members) child.kill("SIGKILL");
  }
}

/** Every write to every register, in the order in which they were made. */
async function watchRegisters(ls: Awaited<ReturnType<typeof connect>>, signal: AbortSignal) {
  const writes = new Map<string, Written[]>();
  try {
    for await (const change of ls.kv.watch("register/", { signal })) {
      if (change.kind === "resync") expect(change.entries, "the watcher fell behind").toEqual([]);
      if (change.kind !== "put") continue;
      const { token, count } = JSON.parse(change.entry.text) as { token: string; count: number };
      const name = change.key.slice("register/".length);
      writes.set(name, [...(writes.get(name) ?? []), { token: BigInt(token), count }]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return writes;
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
async function readRegisters(log: string): Promise<History> {
  const files = readdirSync(dirname(log)).filter((name) => name.startsWith(`${basename(log)}.`));
  const parts = files.map((name) => readHistory(createReadStream(join(dirname(log), name), "utf8")));
  return mergeHistories(...(await Promise.all(parts)));
}

function checkAll(story: Story, names: string[]): void {
  const { lines, kills, freezes, writes, registers } = story;
  mustBeLinearizable(holdersOf(lines), fencedMutex(), `seed ${seed}:`);
  mustBeLinearizable(registers, casRegister(), `seed ${seed}:`);
  const faults = names.flatMap((name) => [
    ...lostUpdates(writes.get(name) ?? []).map((fault) => `register ${name}: ${fault}`),
    ...idleness(story, name),
  ]);
  faults.push(...causelessLosses(story), ...slowSuccessions(story));
  const entered = lines.filter(({ what, isHeld }) => what === "enter" && isHeld).length;
  console.log(`  ${entered} sections, ${kills.length} kills, ${freezes.length} freezes`);
  expect({ seed, faults }).toEqual({ seed, faults: [] });
  expect(entered).toBeGreaterThan(50);
  expect(kills.length + freezes.length).toBeGreaterThan(3);
}

/** Who held what, and when it surely did: whoever says so must have been the only one. */
function holdersOf(lines: Line[]): History {
  const log = new HoldersLog();
  const tenancies = new Map<string, Tenancy<{ token: bigint; isHeld: boolean }>>();
  for (const { name, pid, token, what, isHeld } of lines) {
    // One that woke too late says nothing; the register has refused it.
    if (!isHeld) continue;
    const section = `${name} ${token} ${pid}`;
    const begun = what === "exit" ? tenancies.get(section) : undefined;
    // How it stands with the others, only they can say.
    const tenancy = begun ?? log.granted(name, String(pid), log.ask(), { token, isHeld: false });
    tenancies.set(section, tenancy);
    tenancy.held.isHeld = true;
    tenancy.check();
    tenancy.held.isHeld = false;
  }
  return { operations: log.operations };
}

/**
 * A register's token never falls, and each token counts up by one at most once: nobody wrote over anybody.
 */
function lostUpdates(writes: Written[]): string[] {
  const faults: string[] = [];
  let last: Written = { token: 0n, count: 0 };
  let hasCounted = true;
  for (const written of writes) {
    const isClaim = written.token > last.token && written.count === last.count;
    const isCount: boolean = written.token === last.token && written.count === last.count + 1 && !hasCounted;
    if (!isClaim && !isCount) faults.push(`${show(written)} after ${show(last)}`);
    hasCounted = isCount;
    last = written;
  }
  if (last.count < 10) faults.push(`only ${last.count} counted`);
  return faults;
}

/** Nobody waits for ever: a wake-up that is lost would leave a lock idle. */
function idleness({ lines, from, to }: Story, name: string): string[] {
  const entries = lines.filter((line) => line.name === name && line.what === "enter").map(({ at }) => at);
  const times = [from, ...entries.filter((at) => at > from && at < to), to];
  return times.flatMap((at, i) => {
    const idle = at - (times[i - 1] ?? at);
    return idle > mostIdleMs ? [`${name} stood still for ${Math.round(idle)} ms`] : [];
  });
}

/** A process that nobody froze, while nobody else was frozen either, must not have lost anything. */
function causelessLosses({ lines, freezes }: Story): string[] {
  const begun = new Map<string, number>();
  const losses: string[] = [];
  for (const line of lines) {
    const section = `${line.name} ${line.token} ${line.pid}`;
    if (line.what === "enter") begun.set(section, line.at);
    if (line.isHeld) continue;
    const from = (begun.get(section) ?? line.at) - ttlMs;
    // Anyone's freeze counts, since it may have been in the middle of a write: see the top of this file.
    if (!freezes.some((freeze) => freeze.from <= line.at && freeze.to >= from)) losses.push(describe(line));
  }
  // A machine with more to do than it can may do that to a few.
  return losses.length > 2 + lines.length / 20 ? losses.map((loss) => `${loss}, which nobody froze`) : [];
}

/** The death of a holder is noticed long before its time to live is up. */
function slowSuccessions({ lines, kills, freezes }: Story): string[] {
  const delays: number[] = [];
  for (const { pid, at } of kills) {
    if (freezes.some((freeze) => freeze.from <= at + ttlMs && freeze.to >= at - ttlMs)) continue;
    for (const name of new Set(lines.map((line) => line.name))) {
      const before = lines.filter((line) => line.name === name && line.at < at).at(-1);
      if (before?.pid !== pid || before.what !== "enter") continue;
      const next = lines.find((line) => line.name === name && line.at > at && line.what === "enter");
      if (next) delays.push(next.at - at);
    }
  }
  delays.sort((a, b) => a - b);
  console.log(
    `  ms from a holder's death to the next grant: ${delays.map(Math.round).join(", ") || "none seen"}`,
  );
  const median = delays[Math.floor(delays.length / 2)] ?? 0;
  return delays.length > 2 && median > ttlMs * 0.6
    ? [`${Math.round(median)} ms from a holder's death to the next grant`]
    : [];
}

const show = ({ token, count }: Written) => `count ${count} by token ${token}`;
const describe = (line: Line) =>
  `${line.pid} says ${line.what} of ${line.name} by ${line.token} at ${line.at}`;
