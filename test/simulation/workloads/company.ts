import { Lockstep } from "lockstep";
import { isLockstepError } from "lockstep/base";
import type { SimulatedProcess, World } from "lockstep/simulation";

export const ttlMs = 10_000;
/** Longer than anything takes once all is well: a long section, a session that dies, copies under way. */
const patienceMs = 180_000;
/** What a bad world may make of a call. */
const excused = ["unavailable", "unknown-outcome", "timeout", "lost"];

/** One life of a process, with a client. */
export interface Member {
  readonly process: SimulatedProcess;
  readonly client: Lockstep;
  /** Unlike that of any other life. */
  readonly id: string;
}

export interface Play {
  readonly minutes: number;
  /**
   * What a member does beside each other, again and again; `isLast` when it shall do it once more, to the
   * end.
   */
  readonly tasks: readonly ((member: Member, isLast: boolean) => Promise<void>)[];
}

const names = ["a", "b", "c", "d"];

/**
 * Processes that do their tasks over and over, while things go wrong. Then all is healed, save for one
 * process that dies for good, and one that stays frozen; and whoever lives must get to the end of each task
 * once more, in time, and leave nothing behind. Gives what went wrong that may not.
 */
export async function playCompany(world: World, { minutes, tasks }: Play): Promise<string[]> {
  let isClosing = false;
  let lives = 0;
  const done = new Set<string>();
  const findings: string[] = [];
  for (const name of names) {
    world.spawn(name, async (process) => {
      done.delete(name);
      const client = new Lockstep(process.store(), { clock: process.clock, ttlMs, label: name });
      const member = { process, client, id: `${name}${++lives}` };
      const perform = async (task: Play["tasks"][number]) => {
        while (!isClosing) await attempt(member, () => task(member, false));
        while (!(await attempt(member, () => task(member, true))));
      };
      await Promise.all(tasks.map(perform));
      // A session that was given up goes with its last key, or the copy of a request that may be under way.
      await process.sleep(ttlMs * 2);
      const { sessions = [] } = world.look({ prefix: "", sessions: true });
      const own = sessions.filter(({ label }) => label === name);
      if (own.length > 1) findings.push(`${name} keeps ${own.length} sessions`);
      await client.close();
      done.add(name);
    });
  }
  await world.sleep(minutes * 60_000);
  world.heal();
  const [dead, frozen, ...living] = names;
  world.kill(dead!);
  world.freeze(frozen!);
  isClosing = true;
  const isDone = () => living.every((name) => done.has(name));
  const until = world.clock.now() + patienceMs;
  while (!isDone() && world.clock.now() < until) await world.sleep(1000);
  findings.push(...living.filter((name) => !done.has(name)).map((name) => `${name} waits for ever`));
  // What the two that are lost left behind goes with their sessions.
  await world.sleep(ttlMs * 3);
  if (findings.length > 0) return findings;
  const { entries, sessions = [] } = world.look({ prefix: "", sessions: true });
  const left = entries.filter(({ key }) => !key.startsWith("kv/"));
  if (left.length > 0) findings.push(`left behind: ${left.map(({ key }) => key).join()}`);
  if (sessions.length > 0) findings.push(`${sessions.length} sessions are left behind`);
  return findings;
}

/** Whether it went to its end. */
async function attempt({ process }: Member, task: () => Promise<void>): Promise<boolean> {
  try {
    await task();
    return true;
  } catch (error) {
    if (!isLockstepError(error) || !excused.includes(error.code)) throw error;
    await process.sleep(process.random.below(1000));
    return false;
  }
}
