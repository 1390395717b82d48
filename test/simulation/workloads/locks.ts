import type { Held, Lock } from "lockstep";
import { fencedMutex } from "lockstep/check";
import type { SimulatedProcess } from "lockstep/simulation";
import { HoldersLog } from "../../coordination/holders-log.js";
import { playCompany, ttlMs, type Member } from "./company.js";
import { judged, type Workload } from "./workload.js";

const names = Array.from({ length: 8 }, (_, index) => `lock ${index}`);

/**
 * Everybody wants every lock, in all the ways in which one may want it; and every other lock twice, so that
 * a process hands it on to itself.
 */
export const locks: Workload = {
  name: "locks",
  async play(world, minutes, believers) {
    const log = new HoldersLog();
    const findings: string[] = [];
    const task = (name: string) => async (member: Member, isLast: boolean) => {
      const { process, client, id } = member;
      const asked = log.ask();
      const held = await acquire(client.lock(name), process, isLast);
      if (held === null) {
        await process.sleep(process.random.below(5000));
        return;
      }
      if (!held.isHeld) findings.push(`${id} was granted ${name} when it had lost it already`);
      const tenancy = log.granted(name, `${id} ${name}`, asked, held, () => process.isRunning);
      believers.add(process, held);
      await section(process, isLast, () => tenancy.check());
      believers.remove(held);
      await tenancy.release(() => held.release());
    };
    const wanted = [...names, ...names.filter((_, index) => index % 2 === 0)];
    findings.push(...(await playCompany(world, { minutes, tasks: wanted.map(task) })));
    return {
      grants: log.grants,
      lockHours: (names.length * minutes) / 60,
      findings: [...findings, ...judged(log.operations, fencedMutex())],
    };
  },
};

/** Mostly for as long as it takes; some give up, and some only try. */
async function acquire(lock: Lock, { random }: SimulatedProcess, isLast: boolean): Promise<Held | null> {
  if (isLast || random.chance(0.7)) return lock.acquire();
  return random.chance(0.3) ? lock.tryAcquire() : lock.acquire({ timeoutMs: random.below(30_000) });
}

/** Of some seconds; or over at once; or longer than a session lives unless it is renewed. */
async function section(process: SimulatedProcess, isLast: boolean, check: () => boolean): Promise<void> {
  const { random } = process;
  const kind = random.next();
  const stepMs = isLast ? 10 : kind < 0.2 ? 1.5 * ttlMs : kind < 0.5 ? 300 : 3000;
  for (let step = 0; step < 3 && check(); step++) await process.sleep(random.below(stepMs));
}
