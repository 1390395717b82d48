import type { Command } from "commander";
import type { Lockstep } from "../lockstep.js";
import { withClient, type StoreOptions } from "./client.js";
import { entryJson } from "./entry-text.js";
import { exitStatus } from "./exit-status.js";
import { print, printJson, say } from "./output.js";
import { setStatus, storeCommand } from "./store-command.js";

const help = `
Prints the value, byte for byte; a newline is added only on a terminal. Exits with 1 when there is no
such key.

Examples:
  $ lockstep get config/rate
  $ lockstep get config/rate --json                         with its revision, for --if-revision`;

export function addGet(program: Command): void {
  storeCommand(program, "get", "print the value of a key", help)
    .argument("<key>", "the key")
    .option("--json", "print JSON, with the revisions")
    .action(async (key: string, options: StoreOptions & { json?: boolean }) => {
      setStatus(await withClient(options, (lockstep) => get(lockstep, key, options.json ?? false)));
    });
}

async function get(lockstep: Lockstep, key: string, json: boolean): Promise<number> {
  const entry = await lockstep.kv.get(key);
  if (json) await printJson(entry && entryJson(entry));
  if (!entry) {
    say(`there is no key ${JSON.stringify(key)}`);
    return exitStatus.no;
  }
  if (!json) {
    await print(entry.value);
    if (process.stdout.isTTY && !entry.text.endsWith("\n")) await print("\n");
  }
  return exitStatus.ok;
}
