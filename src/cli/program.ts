import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addCheck } from "./check.js";
import { addDelete } from "./delete.js";
import { addElect } from "./elect.js";
import { addGet } from "./get.js";
import { addList } from "./list.js";
import { addPut } from "./put.js";
import { addRun } from "./run.js";
import { addStatus } from "./status.js";
import { addWatch } from "./watch.js";

const help = `
The store is what --on names, else LOCKSTEP_URL, else an LMDB store in your state directory.

Examples:
  $ lockstep run deploy --timeout 5s -- make deploy
  $ lockstep elect scheduler -- node scheduler.js
  $ lockstep put config/rate 50
  $ lockstep status --watch`;

export function makeProgram(): Command {
  const program = new Command("lockstep")
    .description("Locks, leadership and watched keys, for commands and scripts.")
    .version(version())
    .option("--on <url>", "the store, for any command")
    // What follows a command's name belongs to it, "--" and all.
    .enablePositionalOptions()
    .addHelpText("after", help)
    .exitOverride()
    // A failure is told once, by main, in one line.
    .configureOutput({ outputError: () => undefined });
  addRun(program);
  addElect(program);
  addGet(program);
  addPut(program);
  addDelete(program);
  addList(program);
  addWatch(program);
  addStatus(program);
  addCheck(program);
  return program;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { version: string }).version;
}
