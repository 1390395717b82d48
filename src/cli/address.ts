import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { LockstepError } from "../base/errors.js";

/** Where the store is: `--on`, else LOCKSTEP_URL, else an LMDB store among the user's own state. */
export function addressOf(
  on: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (on === "") {
    throw new LockstepError(
      "bad-input",
      "--on is empty; say where the store is, as in --on redis://localhost",
    );
  }
  const named = on ?? environment["LOCKSTEP_URL"];
  if (named?.startsWith("memory:")) {
    throw new LockstepError(
      "bad-input",
      "a store in memory ends with this command, and nobody else can see it; " +
        'give the store of a directory, as in "lmdb:./directory", or of a server, as in "redis://localhost"',
    );
  }
  if (named) return named;
  return `lmdb:${join(stateDirectory(environment, platform), "lockstep")}`;
}

function stateDirectory(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === "darwin") return join(homedir(), "Library", "Application Support");
  const named = environment["XDG_STATE_HOME"];
  // The standard says that a relative path is to be ignored.
  return named && isAbsolute(named) ? named : join(homedir(), ".local", "state");
}
