import type { Election, Term } from "lockstep";
import { isLockstepError } from "lockstep/base";
import { fencedMutex } from "lockstep/check";
import { HoldersLog, type Tenancy } from "../../coordination/holders-log.js";
import { playCompany, ttlMs, type Member } from "./company.js";
import { judged, type Workload } from "./workload.js";

const names = Array.from({ length: 8 }, (_, index) => `office ${index}`);

/** Everybody stands for every office, and who leads proclaims one thing after the other. */
export const elections: Workload = {
  name: "elections",
  async play(world, minutes, believers) {
    const log = new HoldersLog();
    const findings: string[] = [];
    const task = (name: string) => async (member: Member, isLast: boolean) => {
      const { process, client, id } = member;
      const election = client.election(name);
      const asked = log.ask();
      const campaign = election.campaign({ value: "" });
      const term = (await campaign.next()).value;
      if (!term.isHeld) findings.push(`${id} won ${name} when it had lost it already`);
      const tenancy = log.granted(name, `${id} ${name}`, asked, term, () => process.isRunning);
      believers.add(process, term);
      const resign = async () => {
        const wasHeld = term.isHeld;
        await campaign.return(undefined as never);
        if (!wasHeld) term.assertHeld();
      };
      try {
        const count = isLast ? 1 : process.random.below(4);
        // Some in a hurry, so that what was sent comes when the term is over; some at ease.
        const pauseMs = isLast ? 10 : process.random.chance(0.3) ? 300 : ttlMs;
        for (let number = 1; number <= count && tenancy.check(); number++) {
          // A copy of it may come later, and must not undo what is proclaimed next.
          if (!(await isProclaimed(term, `${number}`))) continue;
          findings.push(...(await oddities(election, `${number}`, tenancy)));
          await process.sleep(process.random.below(pauseMs));
          findings.push(...(await oddities(election, `${number}`, tenancy)));
        }
      } finally {
        believers.remove(term);
        await tenancy.release(resign);
      }
    };
    findings.push(...(await playCompany(world, { minutes, tasks: names.map(task) })));
    return {
      grants: log.grants,
      lockHours: (names.length * minutes) / 60,
      findings: [...findings, ...judged(log.operations, fencedMutex())],
    };
  },
};

/** False when nobody can tell. */
async function isProclaimed(term: Term, value: string): Promise<boolean> {
  try {
    await term.proclaim(value);
    return true;
  } catch (error) {
    if (isLockstepError(error, "unknown-outcome")) return false;
    throw error;
  }
}

/** Who has led all the while must have been seen to lead, with what was proclaimed last. */
async function oddities(
  election: Election,
  proclaimed: string,
  { held, check }: Tenancy<Term>,
): Promise<string[]> {
  const leader = await election.leader();
  if (!check() || (leader?.token === held.token && leader.value === proclaimed)) return [];
  const seen = `${leader?.value}, by ${leader?.token}`;
  return [`who leads by ${held.token} and proclaimed ${proclaimed} sees ${seen}`];
}
