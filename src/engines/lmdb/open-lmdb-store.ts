import { join } from "node:path";
import type * as lmdbPackage from "lmdb";
import { systemClock, type Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { bootId } from "./boot.js";
import { prepareDirectory, unusable } from "./directory.js";
import { isDataFile } from "./data-file.js";
import { Gate } from "./gate.js";
import { Journals } from "./journals.js";
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
  const livePath = join(path, `live-${boot}.mdb`);
  const opened: lmdbPackage.RootDatabase<Buffer, string>[] = [];
  const open = (file: string) => {
    const db = lmdb.open<Buffer, string>({
      path: file,
      encoding: "binary",
      noSync: true,
      overlappingSync: false,
      mapSize: mapBytes,
      maxReaders: mostReaders,
    });
    opened.push(db);
    return db;
  };
  const gatePath = join(path, "gate.mdb");
  const damaged = [gatePath, livePath].find((file) => !isDataFile(file));
  if (damaged !== undefined) {
    throw new LockstepError(
      "unavailable",
      `lmdb: ${damaged} is damaged; stop all processes that use it and delete it: what is unbound is kept ` +
        "in the journals beside it",
    );
  }
  try {
    const journals = new Journals(path);
    journals.check();
    const gate = new Gate(open(gatePath));
    return new LmdbStore(path, journals, clock, (events) => {
      return new LiveFile(gate, () => open(livePath), journals, livePath, clock, events);
    });
  } catch (cause) {
    // A file that stays open would be taken for another one that comes to lie in its place on the disk.
    for (const db of opened) await db.close();
    throw isLockstepError(cause) ? cause : unusable(path, cause);
  }
}

async function loadLmdb(): Promise<typeof lmdbPackage> {
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
