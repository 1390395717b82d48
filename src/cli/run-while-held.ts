import type { Held } from "../coordination/held.js";
import { GuardedCommand } from "./guarded-command.js";
import { say } from "./output.js";
import type { Signals } from "./signals.js";

export interface Work {
  readonly command: readonly string[];
  /** What the command finds in its environment, besides the token. */
  readonly environment: Record<string, string>;
  readonly graceMs: number;
}

/** Runs a command to its end, which comes soon once what is held is lost. */
export async function runWhileHeld(
  held: Held,
  work: Work,
  signals: Signals,
): Promise<{ status: number; isLost: boolean }> {
  signals.wait.throwIfAborted();
  const environment = { ...work.environment, LOCKSTEP_TOKEN: held.token.toString() };
  const command = new GuardedCommand(work.command, environment, work.graceMs);
  signals.sendTo(command);
  const onLost = () => {
    const reason: unknown = held.signal.reason;
    say(reason instanceof Error ? reason.message : `${held.name} is lost`);
    signals.endWaitToo();
    command.stop();
  };
  held.signal.addEventListener("abort", onLost, { once: true });
  if (held.signal.aborted) onLost();
  const status = await command.ended;
  // Looks at the clock: after a freeze, the end of the command may be the first that we hear of.
  const isLost = !held.isHeld;
  held.signal.removeEventListener("abort", onLost);
  signals.commandEnded();
  return { status, isLost };
}
