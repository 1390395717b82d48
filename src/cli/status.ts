import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Lockstep } from "../lockstep.js";
import { addressOf } from "./address.js";
import { withClient, type StoreOptions } from "./client.js";
import { print, toJson } from "./output.js";
import { statusText } from "./status-text.js";
import { storeCommand } from "./store-command.js";
import { untilStopped } from "./until-stopped.js";

interface StatusOptions extends StoreOptions {
  watch?: boolean;
  json?: boolean;
}

const everyMs = 1000;
const clearScreen = "\u001b[H\u001b[2J\u001b[3J";

const help = `
For each lock and election: who has it, with which fencing token, for how long, how long its session lives on
unless renewed, and who waits behind, in order. Then the live sessions, and what the store promises.

Examples:
  $ lockstep status
  $ lockstep status --watch
  $ lockstep status --json | jq '.locks[] | {name, holder: .holder.label}'`;

export function addStatus(program: Command): void {
  storeCommand(program, "status", "show who holds what and who waits", help)
    .option("--watch", "again each second, until interrupted")
    .option("--json", "print JSON, a line each time")
    .action(async (options: StatusOptions) => {
      await withClient(options, (lockstep) => status(lockstep, options));
    });
}

async function status(lockstep: Lockstep, options: StatusOptions): Promise<void> {
  const address = addressOf(options.on);
  if (!options.watch) {
    await print(await report(lockstep, address, options));
    return;
  }
  const signal = untilStopped();
  const redraws = process.stdout.isTTY && !options.json;
  while (!signal.aborted) {
    const text = await report(lockstep, address, options);
    await print(redraws ? clearScreen + text : options.json ? text : `${text}\n`);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function report(lockstep: Lockstep, address: string, options: StatusOptions): Promise<string> {
  const census = await lockstep.census();
  const { guarantees } = lockstep.store;
  if (options.json) return `${toJson({ store: guarantees, ...census })}\n`;
  return statusText(census, guarantees, address);
}
