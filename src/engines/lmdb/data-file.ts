import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";

// Where LMDB's first two pages, its meta pages, hold what is needed here.
const magic = 0xbeefc0de;
const magicAt = 24;
const pageBytesAt = 48;
const metaBytes = 160;

/**
 * Whether a file may be given to LMDB: it is new, or begins as LMDB's files do. LMDB itself would not refuse
 * some that do not, but die of them.
 */
export function isDataFile(path: string): boolean {
  if (!existsSync(path) || statSync(path).size === 0) return true;
  const file = openSync(path, "r");
  try {
    const first = readMeta(file, 0);
    return first !== undefined && readMeta(file, first.readUInt32LE(pageBytesAt)) !== undefined;
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, position: number): Buffer | undefined {
  const bytes = Buffer.alloc(metaBytes);
  if (readSync(file, bytes, 0, metaBytes, position) < metaBytes) return undefined;
  return bytes.readUInt32LE(magicAt) === magic ? bytes : undefined;
}
