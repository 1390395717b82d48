import { LockstepError } from "../base/errors.js";

/**
 * The command to run: what follows the first `--`, all of it and nothing else. Without that mark, an option
 * of the command's would be taken for one of ours.
 */
export function commandAfterDashes(verb: string, parsed: readonly string[]): string[] {
  const dashes = process.argv.indexOf("--");
  const command = dashes < 0 ? [] : process.argv.slice(dashes + 1);
  if (command.length > 0 && command[0] !== "" && command.length === parsed.length) return command;
  throw new LockstepError(
    "bad-input",
    `give a name and, after "--", the command, as in: lockstep ${verb} deploy -- make deploy`,
  );
}
