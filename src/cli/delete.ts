import type { Command } from "commander";
import { withClient, type StoreOptions } from "./client.js";
import { parseRevision } from "./revision.js";
import { setStatus, storeCommand } from "./store-command.js";
import { reportVerdict } from "./verdict.js";

interface DeleteOptions extends StoreOptions {
  ifRevision?: bigint;
  json?: boolean;
}

const help = `
A key that does not exist is fine, unless --if-revision says that it must. When that refuses, nothing is
deleted, the current state is shown, and the exit status is 1.

Examples:
  $ lockstep delete config/rate
  $ lockstep delete config/rate --if-revision 42`;

export function addDelete(program: Command): void {
  storeCommand(program, "delete", "delete a key", help)
    .argument("<key>", "the key")
    .option("--if-revision <revision>", "only this revision of it", parseRevision)
    .option("--json", "print JSON")
    .action(async (key: string, options: DeleteOptions) => {
      const { ifRevision, json = false } = options;
      const status = await withClient(options, async (lockstep) => {
        return reportVerdict(
          await lockstep.kv.delete(key, ifRevision === undefined ? {} : { ifRevision }),
          key,
          json,
        );
      });
      setStatus(status);
    });
}
