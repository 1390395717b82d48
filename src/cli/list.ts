import type { Command } from "commander";
import type { Lockstep } from "../lockstep.js";
import { withClient, type StoreOptions } from "./client.js";
import { entryJson, entryLine } from "./entry-text.js";
import { print, printJson } from "./output.js";
import { storeCommand } from "./store-command.js";

const help = `
One line for each key, in order: the key, its revision and its value, between tabs.

Examples:
  $ lockstep list
  $ lockstep list config/
  $ lockstep list config/ --json | jq -r '.[].key'`;

export function addList(program: Command): void {
  storeCommand(program, "list", "list keys with their values", help)
    .argument("[prefix]", "only keys that begin so", "")
    .option("--json", "print JSON: an array of all")
    .action(async (prefix: string, options: StoreOptions & { json?: boolean }) => {
      await withClient(options, (lockstep) => list(lockstep, prefix, options.json ?? false));
    });
}

async function list(lockstep: Lockstep, prefix: string, json: boolean): Promise<void> {
  const entries = await lockstep.kv.list(prefix);
  if (json) await printJson(entries.map(entryJson));
  else await print(entries.map((entry) => `${entryLine(entry)}\n`).join(""));
}
