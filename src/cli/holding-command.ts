import { Option, type Command } from "commander";
import type { StoreOptions } from "./client.js";
import { durationOf } from "./duration.js";
import { storeCommand } from "./store-command.js";

export interface HoldingOptions extends StoreOptions {
  ttl: number;
  grace: number;
}

/** A command of ours that runs one of the user's while it holds something. */
export function holdingCommand(program: Command, name: string, about: string, help: string): Command {
  const ttl = new Option("--ttl <duration>", "how long it stays ours when we freeze or lose the store");
  const grace = new Option("--grace <duration>", "how long the command may take to end after SIGTERM");
  return storeCommand(program, name, about, help)
    .usage("NAME [options] -- COMMAND ...")
    .argument("<name>", "what to hold")
    .argument("[command...]", "what to run, after --")
    .addOption(ttl.argParser(durationOf("--ttl")).default(10_000, "10s"))
    .addOption(grace.argParser(durationOf("--grace")).default(5000, "5s"));
}
