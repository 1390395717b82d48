import { hostname } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../base/clock.js";
import { isLockstepError } from "../base/errors.js";
import { sleep } from "../base/patience.js";
import type { Election } from "../coordination/election.js";
import type { Lockstep } from "../lockstep.js";
import { labelOf, withClient } from "./client.js";
import { commandAfterDashes } from "./command-after-dashes.js";
import { holdingCommand, type HoldingOptions } from "./holding-command.js";
import { say } from "./output.js";
import { runWhileHeld, type Work } from "./run-while-held.js";
import { Signals } from "./signals.js";
import { setStatus } from "./store-command.js";

interface ElectOptions extends HoldingOptions {
  value: string;
}

/** Between two candidacies when the store cannot be reached. */
const pauseMs = 1000;

const help = `
Stands for election, runs the command while it leads, stops the command (SIGTERM, then SIGKILL after the
grace) when it leads no more, and stands again. When the command ends by itself, so does this, with its
status; the next candidate then leads. The command finds LOCKSTEP_ELECTION and LOCKSTEP_TOKEN in its
environment. Signals are passed on to it; while it does not run, one ends the candidacy. A store that goes
away is waited for.

Exit status: as of "lockstep run", though never 75 or 76.

Examples:
  $ lockstep elect scheduler -- node scheduler.js
  $ lockstep elect api --value http://10.0.0.7:8080 -- ./serve
  $ lockstep status                                         shows who leads, and who would be next`;

export function addElect(program: Command): void {
  holdingCommand(program, "elect", "run a command while leading", help)
    .option("--value <text>", "what observers see of the leader", `${hostname()}:${process.pid}`)
    .action(async (name: string, command: string[], options: ElectOptions) => {
      setStatus(await elect(name, commandAfterDashes("elect", command), options));
    });
}

async function elect(name: string, command: readonly string[], options: ElectOptions): Promise<number> {
  const signals = new Signals();
  const work = { command, environment: { LOCKSTEP_ELECTION: name }, graceMs: options.grace };
  const stand = async (lockstep: Lockstep) => {
    return leadWhenElected(lockstep.election(name), options.value, work, signals);
  };
  return withClient(options, stand, labelOf(command));
}

/** Stands until the command ends by itself; a store that is away for a while is waited for. */
export async function leadWhenElected(
  election: Election,
  value: string,
  work: Work,
  signals: Signals,
): Promise<number> {
  for (;;) {
    try {
      for await (const term of election.campaign({ value, signal: signals.wait })) {
        const { status, isLost } = await runWhileHeld(term, work, signals);
        if (!isLost) return status;
      }
    } catch (error) {
      if (!isLockstepError(error, "unavailable")) throw error;
      say(`${error.message}; standing again soon`);
    }
    await sleep(systemClock, pauseMs, signals.wait);
  }
}
