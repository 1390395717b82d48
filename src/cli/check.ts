import { Option, type Command } from "commander";
import { isLockstepError, LockstepError } from "../base/errors.js";
import type { CheckRequest } from "./check-run.js";
import { durationOf } from "./duration.js";
import { say } from "./output.js";
import { setStatus } from "./store-command.js";

/** Not the usual one for bad input: this command's own begin at 0, and are few. */
const badInput = 2;

const help = `
The file holds what clients called and were answered: Lockstep's own JSON lines, or what Jepsen writes. Its
format, and what it is a history of, are found out. Unless told otherwise, an object should be linearizable,
and transactions strict serializable.

Exit status:
  0  it keeps the promise       1  it breaks it
  3  that was not found out     2  the file, or what is asked of it, makes no sense

Examples:
  $ lockstep check history.jsonl
  $ lockstep check history.edn --as list-append --level serializable
  $ lockstep check history.jsonl --level strongest
  $ lockstep check history.jsonl --html violation.html
  $ zcat history.jsonl.gz | lockstep check - --json | jq .anomalies`;

export function addCheck(program: Command): void {
  program
    .command("check")
    .description("judge a recorded history: which promise was kept, and how it was broken")
    .argument("<file>", 'the history; "-" is the standard input')
    .option("--as <object>", "what it is a history of: register, kv, queue, list-append …")
    .option(
      "--level <level>",
      "the promise: linearizable, causal, serializable … or the strongest that is kept",
    )
    .option("--format <format>", "how the file is written: json-lines, edn, json, log or sessions")
    .option(
      "--initial <value>",
      "what a register or a key holds at first, as JSON or text; permits; a bank's options",
    )
    .option("--html <file>", "write a page with a picture of it")
    .option("--timeout <duration>", "how long to think; 30s unless given", durationOf("--timeout"))
    .option("--json", "print JSON")
    .addOption(new Option("--on <url>").hideHelp().argParser(refuseStore))
    .addHelpText("after", help)
    .action(async (file: string, request: CheckRequest) => {
      // The checkers are many files, which no other command needs.
      const { runCheck } = await import("./check-run.js");
      try {
        setStatus(await runCheck(file, request));
      } catch (error) {
        if (!isLockstepError(error, "bad-input")) throw error;
        say(error.message);
        setStatus(badInput);
      }
    });
}

/** All other commands have it. */
function refuseStore(): never {
  throw new LockstepError("bad-input", "check takes no --on: it judges a file, and needs no store");
}
