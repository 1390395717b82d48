#!/usr/bin/env node
import { CommanderError } from "commander";
import { isLockstepError } from "../base/errors.js";
import { exitStatus, statusOfError } from "./exit-status.js";
import { isClosedPipe, say, tolerateClosedPipes } from "./output.js";
import { makeProgram } from "./program.js";
import { Interrupted } from "./signals.js";

tolerateClosedPipes();
process.on("uncaughtException", (error) => {
  process.exit(report(error));
});
try {
  await makeProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
// Everything is printed and closed; nothing that an engine left behind may keep the process.
process.exit();

/** Tells what went wrong, and says what to exit with. */
function report(error: unknown): number {
  if (isClosedPipe(error)) return exitStatus.ok;
  if (error instanceof Interrupted) return error.status;
  if (error instanceof CommanderError) return reportUsage(error);
  if (isLockstepError(error)) say(error.message);
  else console.error("lockstep: a fault of its own;", error);
  return statusOfError(error);
}

function reportUsage(error: CommanderError): number {
  if (error.exitCode === 0) return exitStatus.ok;
  // Called with no command at all: the help was the answer.
  if (error.code === "commander.help") return exitStatus.usage;
  const [verb = ""] = process.argv.slice(2);
  const misses = ["run", "elect"].includes(verb) && !process.argv.includes("--");
  const hint = misses ? 'the command to run, and its own options, come after "--"; ' : "";
  const about = error.code === "commander.unknownCommand" || verb.startsWith("-") ? "" : ` ${verb}`;
  say(`${error.message.replace(/^error: /, "")}; ${hint}see: lockstep${about} --help`);
  return exitStatus.usage;
}
