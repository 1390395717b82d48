import { casRegister, fencedMutex, type History } from "lockstep/check";
import { expect } from "vitest";
import { mustBeLinearizable } from "../../check/must-be-linearizable.js";
import { HoldersLog, type Tenancy } from "../holders-log.js";
import type { Line, Story, Written } from "./story.js";

/** For a machine with much else to do. */
const slackMs = 4000;

/** Nobody held what another held, nothing was lost, nothing stood still. */
export function judge(story: Story): void {
  const { guarantees, seed, names, lines, kills, freezes, writes, registers } = story;
  mustBeLinearizable(holdersOf(lines), fencedMutex(), `seed ${seed}:`);
  mustBeLinearizable(registers, casRegister(), `seed ${seed}:`);
  const faults = names.flatMap((name) => idleness(story, name));
  for (const [name, told] of writes ?? []) {
    faults.push(...lostUpdates(told).map((fault) => `register ${name}: ${fault}`));
  }
  faults.push(...causelessLosses(story));
  if (guarantees.noticesDeath) faults.push(...slowSuccessions(story));
  const entered = lines.filter(({ what, isHeld }) => what === "enter" && isHeld).length;
  console.log(`  ${entered} sections, ${kills.length} kills, ${freezes.length} freezes`);
  expect({ seed, faults }).toEqual({ seed, faults: [] });
  expect(entered).toBeGreaterThan(10);
}

/** Who held what, and when it surely did: whoever says so must have been the only one. */
function holdersOf(lines: readonly Line[]): History {
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
function lostUpdates(writes: readonly Written[]): string[] {
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
function idleness({ lines, from, to, ttlMs }: Story, name: string): string[] {
  // A frozen writer, and a frozen holder after it.
  const mostIdleMs = freezeMs(ttlMs) + ttlMs + slackMs;
  const entries = lines.filter((line) => line.name === name && line.what === "enter").map(({ at }) => at);
  const times = [from, ...entries.filter((at) => at > from && at < to), to];
  return times.flatMap((at, i) => {
    const idle = at - (times[i - 1] ?? at);
    return idle > mostIdleMs ? [`${name} stood still for ${Math.round(idle)} ms`] : [];
  });
}

/** Longer than sessions live, so that who is frozen loses what it holds. */
export function freezeMs(ttlMs: number): number {
  return ttlMs + 400;
}

/** A process that nobody froze, while nobody else was frozen either, must not have lost anything. */
function causelessLosses({ lines, freezes, ttlMs }: Story): string[] {
  const begun = new Map<string, number>();
  const losses: string[] = [];
  for (const line of lines) {
    const section = `${line.name} ${line.token} ${line.pid}`;
    if (line.what === "enter") begun.set(section, line.at);
    if (line.isHeld) continue;
    const from = (begun.get(section) ?? line.at) - ttlMs;
    // Anyone's freeze counts, since on LMDB it may have been in the middle of a write.
    if (!freezes.some((freeze) => freeze.from <= line.at && freeze.to >= from)) losses.push(describe(line));
  }
  // A machine with more to do than it can may do that to a few.
  return losses.length > 2 + lines.length / 20 ? losses.map((loss) => `${loss}, which nobody froze`) : [];
}

/** The death of a holder is noticed before its time to live is up, even on a busy machine. */
function slowSuccessions({ lines, kills, freezes, ttlMs }: Story): string[] {
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
  return delays.length > 2 && median > ttlMs
    ? [`${Math.round(median)} ms from a holder's death to the next grant`]
    : [];
}

const show = ({ token, count }: Written) => `count ${count} by token ${token}`;
const describe = (line: Line) =>
  `${line.pid} says ${line.what} of ${line.name} by ${line.token} at ${line.at}`;
