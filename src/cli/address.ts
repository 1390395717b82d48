import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where the store is: `--on`, else LOCKSTEP_URL, else an LMDB store among the user's own state. */
export function addressOf(
  on: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (on !== undefined) return on;
  const url = environment["LOCKSTEP_URL"];
  if (url) return url;
  return `lmdb:${join(stateDirectory(environment, platform), "lockstep")}`;
}

function stateDirectory(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === "darwin") return join(homedir(), "Library", "Application Support");
  const named = environment["XDG_STATE_HOME"];
  // The standard says that a relative path is to be ignored.
  return named && isAbsolute(named) ? named : join(homedir(), ".local", "state");
}
