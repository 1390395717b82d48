import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { withClient, type StoreOptions } from "./client.js";
import { parseRevision } from "./revision.js";
import { setStatus, storeCommand } from "./store-command.js";
import { reportVerdict } from "./verdict.js";

interface PutOptions extends StoreOptions {
  ifRevision?: bigint;
  json?: boolean;
}

const help = `
Prints the revision of the write. With --if-revision, the key must still be at that revision, and 0 says that
it must not exist; else nothing is written, the current state is shown, and the exit status is 1.

Examples:
  $ lockstep put config/rate 50
  $ lockstep put config/rate 60 --if-revision 42
  $ lockstep put owner me --if-revision 0                   only if nobody was first
  $ lockstep put certificate - < server.pem`;

export function addPut(program: Command): void {
  storeCommand(program, "put", "write a value", help)
    .argument("<key>", "the key")
    .argument("<value>", "the value, or - to read it from standard input")
    .option("--if-revision <revision>", "only over this revision; 0: only a new key", parseRevision)
    .option("--json", "print JSON")
    .action(async (key: string, value: string, options: PutOptions) => {
      const bytes = value === "-" ? await buffer(process.stdin) : value;
      const { ifRevision, json = false } = options;
      const status = await withClient(options, async (lockstep) => {
        return reportVerdict(
          await lockstep.kv.put(key, bytes, ifRevision === undefined ? {} : { ifRevision }),
          key,
          json,
        );
      });
      setStatus(status);
    });
}
