import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./server-process.js";

const folders = new Set<string>();
process.on("exit", () => {
  for (const folder of folders) removeFolder(folder);
});

/** A folder for a server's files, which is gone with this process at the latest. */
export function temporaryFolder(name: string, owner?: string): string {
  const folder = mkdtempSync(join(tmpdir(), `lockstep-${name}-`));
  folders.add(folder);
  if (owner !== undefined && process.getuid?.() === 0) {
    chownSync(folder, Number(runProgram("id", ["-u", owner])), Number(runProgram("id", ["-g", owner])));
  }
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  // The last files of a server that was killed may still appear while its folder is being removed.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
