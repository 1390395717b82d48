import type { Command } from "commander";
import { LockstepError, isLockstepError } from "../base/errors.js";
import type { Held } from "../coordination/held.js";
import type { Lockstep } from "../lockstep.js";
import { labelOf, withClient } from "./client.js";
import { commandAfterDashes } from "./command-after-dashes.js";
import { durationOf, formatDuration } from "./duration.js";
import { holdingCommand, type HoldingOptions } from "./holding-command.js";
import { exitStatus } from "./exit-status.js";
import { say } from "./output.js";
import { runWhileHeld } from "./run-while-held.js";
import { Signals } from "./signals.js";
import { setStatus } from "./store-command.js";

interface RunOptions extends HoldingOptions {
  timeout?: number;
}

const help = `
The command finds the lock's name in LOCKSTEP_LOCK and its fencing token, which rises with each grant, in
LOCKSTEP_TOKEN. Signals are passed on to it. When the lock is lost, or lockstep itself is killed, it gets
SIGTERM, and SIGKILL after the grace.

Exit status:
  the command's own; 128+n when it, or the wait for the lock, was ended by signal n
  64   bad usage
  69   the store cannot be used
  70   a fault of lockstep itself
  75   the lock was not got in time
  76   the lock was lost while the command ran
  126  the command cannot be executed
  127  the command was not found

Examples:
  $ lockstep run deploy -- make deploy
  $ lockstep run backup --timeout 0s -- pg_dump shop        do nothing if one runs already
  $ lockstep run migrate --timeout 5m --ttl 30s -- npx prisma migrate deploy
  $ lockstep run report -- sh -c 'echo "my token is $LOCKSTEP_TOKEN"'`;

export function addRun(program: Command): void {
  holdingCommand(program, "run", "run a command while holding a lock", help)
    .option("--timeout <duration>", "wait at most so long; 0s: do not wait", durationOf("--timeout"))
    .action(async (name: string, command: string[], options: RunOptions) => {
      setStatus(await run(name, commandAfterDashes("run", command), options));
    });
}

async function run(name: string, command: readonly string[], options: RunOptions): Promise<number> {
  const signals = new Signals();
  const runWithLock = async (lockstep: Lockstep) => {
    const held = await acquire(lockstep, name, options.timeout, signals.wait);
    const environment = { LOCKSTEP_LOCK: name };
    const work = { command, environment, graceMs: options.grace };
    const { status, isLost } = await runWhileHeld(held, work, signals);
    if (isLost) return exitStatus.lost;
    // A release that fails changes nothing about what the command came to.
    await held[Symbol.asyncDispose]().catch(() => undefined);
    return status;
  };
  return withClient(options, runWithLock, labelOf(command));
}

async function acquire(
  lockstep: Lockstep,
  name: string,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<Held> {
  const lock = lockstep.lock(name);
  const tellAfterMs = 1000;
  const tell = () => void describeHolder(lockstep, name).then((who) => say(`waiting for "${name}"${who}`));
  const telling = process.stderr.isTTY ? setTimeout(tell, tellAfterMs) : undefined;
  try {
    signal.throwIfAborted();
    if (timeoutMs !== 0) return await lock.acquire({ timeoutMs, signal });
    const held = await lock.tryAcquire();
    if (held) return held;
    throw new LockstepError("timeout", `the lock "${name}" is not free`);
  } catch (error) {
    if (!isLockstepError(error, "timeout")) throw error;
    throw new LockstepError("timeout", error.message + (await describeHolder(lockstep, name)));
  } finally {
    clearTimeout(telling);
  }
}

/** For a message: who has the lock, where that can be told. */
async function describeHolder(lockstep: Lockstep, name: string): Promise<string> {
  try {
    const { locks } = await lockstep.census();
    const holder = locks.find((lock) => lock.name === name)?.holder;
    return holder ? `; held for ${formatDuration(holder.ageMs)} by ${holder.label}` : "";
  } catch {
    return "";
  }
}
