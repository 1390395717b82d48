import type { Command } from "commander";

/** A command with what all of them have: a line about it, the store's address, and help with examples. */
export function storeCommand(program: Command, name: string, about: string, help: string): Command {
  return program
    .command(name)
    .description(about)
    .option("--on <url>", "the store; else LOCKSTEP_URL, else one of your own on this host")
    .hook("preAction", (command) => {
      // It may stand before the command's name as well.
      const { on } = program.opts<{ on?: string }>();
      if (on !== undefined && command.opts<{ on?: string }>().on === undefined) {
        command.setOptionValue("on", on);
      }
    })
    .addHelpText("after", help);
}

/** For the end of the process, unless an error decides otherwise. */
export function setStatus(status: number): void {
  process.exitCode = status;
}
