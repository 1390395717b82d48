import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { LockstepError } from "../../base/errors.js";

// Where LMDB's first two pages, its meta pages, hold what is needed here.
const magic = 0xbeefc0de;
const magicAt = 24;
const pageBytesAt = 48;
const lastPageAt = 144;
const transactionAt = 152;
const metaBytes = 160;

/**
 * Refuses a data file that is damaged or cut short before it is mapped: to read a page that the file does not
 * hold would be no error, but the death of the process by SIGBUS.
 */
export function checkDataFile(path: string, remedy: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  const damaged = (how: string) => {
    return new LockstepError("unavailable", `lmdb: ${path} ${how}; ${remedy}`);
  };
  const file = openSync(path, "r");
  try {
    const first = readMeta(file, 0);
    if (!first) throw damaged("is not an LMDB file, or is damaged");
    const pageBytes = first.readUInt32LE(pageBytesAt);
    const second = readMeta(file, pageBytes);
    if (!second) throw damaged("is damaged");
    const newer =
      second.readBigUInt64LE(transactionAt) > first.readBigUInt64LE(transactionAt) ? second : first;
    const pages = Number(newer.readBigUInt64LE(lastPageAt)) + 1;
    // It may rightly be shorter, when its last pages were never used. Whether it is, only reading it can tell.
    if (statSync(path).size < pages * pageBytes && !isReadable(path)) throw damaged("is cut short");
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, position: number): Buffer | undefined {
  const bytes = Buffer.alloc(metaBytes);
  if (readSync(file, bytes, 0, metaBytes, position) < metaBytes) return undefined;
  return bytes.readUInt32LE(magicAt) === magic ? bytes : undefined;
}

/** Reads everything, in a process of its own, since what is asked is whether that kills it. */
function isReadable(path: string): boolean {
  const script = `
    import { open } from ${JSON.stringify(import.meta.resolve("lmdb"))};
    const db = open({ path: ${JSON.stringify(path)}, readOnly: true, encoding: "binary" });
    for (const entry of db.getRange({})) void entry;
  `;
  return spawnSync(process.execPath, ["--input-type=module", "-e", script], { stdio: "ignore" }).status === 0;
}
