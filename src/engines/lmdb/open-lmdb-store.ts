import type { RootDatabase } from "lmdb";
import { systemClock, type Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { bootId } from "./boot.js";
import { checkDataFile } from "./data-file.js";
import { filesOf, prepareDirectory, unusable } from "./directory.js";
import { KeptFile } from "./kept-file.js";
import { LiveFile } from "./live-file.js";
import { LmdbStore } from "./lmdb-store.js";

/** Address space, not memory and not disk: a file can grow so far. */
const mapBytes = 2 ** 36;
/** Threads of all processes that can have the store open at once. */
const mostReaders = 1024;

export interface OpenLmdbOptions {
  /** Tells this boot of the machine from others; asked of the system unless given. For tests. */
  readonly boot?: string;
  /** Must count from one origin in every process of the host, as the system's does. For tests. */
  readonly clock?: Clock;
}

/** Opens the store in a directory, which is made if need be. */
export async function openLmdbStore(directory: string, options: OpenLmdbOptions = {}): Promise<LmdbStore> {
  const { boot = bootId(), clock = systemClock } = options;
  const lmdb = await loadLmdb();
  const path = prepareDirectory(directory);
  const files = filesOf(path, boot);
  checkDataFile(files.kept, "restore the directory from a backup, or choose another");
  checkDataFile(files.live, "stop all processes that use the directory, and delete that file");
  const open = (file: string, noSync: boolean): RootDatabase<Buffer, string> => {
    try {
      return lmdb.open<Buffer, string>({
        path: file,
        encoding: "binary",
        noSync,
        overlappingSync: false,
        mapSize: mapBytes,
        maxReaders: mostReaders,
      });
    } catch (cause) {
      throw unusable(file, cause);
    }
  };
  const keptDb = open(files.kept, false);
  try {
    const kept = new KeptFile(keptDb, path);
    return new LmdbStore(path, kept, clock, (onCommit) => {
      return new LiveFile(open(files.live, true), kept, files.live, clock, onCommit);
    });
  } catch (cause) {
    await keptDb.close();
    throw isLockstepError(cause) ? cause : unusable(path, cause);
  }
}

async function loadLmdb(): Promise<typeof import("lmdb")> {
  try {
    return await import("lmdb");
  } catch (cause) {
    throw new LockstepError(
      "missing-peer",
      'addresses that begin with "lmdb:" need the package lmdb, which cannot be loaded; ' +
        "install it with: npm install lmdb",
      { cause },
    );
  }
}
