import type { Command } from "commander";
import type { KeyValueChange } from "../coordination/key-value.js";
import type { Lockstep } from "../lockstep.js";
import { withClient, type StoreOptions } from "./client.js";
import { entryJson, entryLine } from "./entry-text.js";
import { print, toJson } from "./output.js";
import { storeCommand } from "./store-command.js";
import { untilStopped } from "./until-stopped.js";

const help = `
Begins with how things stand: a line "resync", the revision and the number of keys, then a line "key" for
each. After that, a line "put" or "delete" for each change. Between tabs: what it is, the key, its revision,
its value. A later resync says that changes before it may not have been told: forget what you knew, and go on
from there. Ends with 0 when it is interrupted or its reader goes away.

Examples:
  $ lockstep watch config/
  $ lockstep watch config/ --json | while read -r change; do ./reload; done`;

export function addWatch(program: Command): void {
  storeCommand(program, "watch", "print changes as they come", help)
    .argument("[prefix]", "only keys that begin so", "")
    .option("--json", "print a line of JSON for each change")
    .action(async (prefix: string, options: StoreOptions & { json?: boolean }) => {
      const signal = untilStopped();
      await withClient(options, (lockstep) => watch(lockstep, prefix, options.json ?? false, signal));
    });
}

async function watch(lockstep: Lockstep, prefix: string, json: boolean, signal: AbortSignal): Promise<void> {
  try {
    for await (const change of lockstep.kv.watch(prefix, { signal })) {
      await print(json ? `${toJson(changeJson(change))}\n` : changeLines(change));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function changeJson(change: KeyValueChange): Record<string, unknown> {
  const { kind, revision } = change;
  if (kind === "resync") return { kind, revision, entries: change.entries.map(entryJson) };
  return kind === "put" ? { kind, ...entryJson(change.entry) } : { kind, key: change.key, revision };
}

function changeLines(change: KeyValueChange): string {
  const revision = change.revision.toString();
  if (change.kind === "put") return `put\t${entryLine(change.entry)}\n`;
  if (change.kind === "delete") return `delete\t${change.key}\t${revision}\n`;
  const { entries } = change;
  const lines = entries.map((entry) => `key\t${entryLine(entry)}\n`);
  return `resync\t${revision}\t${entries.length}\n${lines.join("")}`;
}
