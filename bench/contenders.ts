import { close as closeCallback, open as openCallback } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect } from "lockstep";
import { loadFsExt, loadProperLockfile } from "./peers.js";

export const contenderNames = ["lockstep", "proper-lockfile", "flock by name", "flock kept open"] as const;
export type ContenderName = (typeof contenderNames)[number];

/** One way to have one lock, which all processes that open it on the same directory share. */
export interface Contender {
  /** Resolves, once the lock is held, with what releases it. */
  readonly acquire: () => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

const openFile = promisify(openCallback);
const closeFile = promisify(closeCallback);

const contenders: Record<ContenderName, (directory: string) => Promise<Contender>> = {
  async lockstep(directory) {
    const ls = await connect(`lmdb:${join(directory, "lockstep")}`);
    const lock = ls.lock("bench");
    return {
      async acquire() {
        const held = await lock.acquire();
        return () => held.release();
      },
      close: () => ls.close(),
    };
  },

  async "proper-lockfile"(directory) {
    const { lock } = loadProperLockfile();
    const file = join(directory, "proper-lockfile");
    // The best of those tried: see README.md.
    const retries = { forever: true, factor: 1, minTimeout: 1, maxTimeout: 1 };
    return { acquire: () => lock(file, { realpath: false, retries }), close: nothing };
  },

  /** As a lock by name must: whoever asks for it opens its file. */
  async "flock by name"(directory) {
    const flock = promisify(loadFsExt().flock);
    const file = join(directory, "flock");
    return {
      async acquire() {
        const descriptor = await openFile(file, "a");
        await flock(descriptor, "ex");
        return () => closeFile(descriptor);
      },
      close: nothing,
    };
  },

  /** As fast as it can be: for a lock that a process opens once and keeps. */
  async "flock kept open"(directory) {
    const flock = promisify(loadFsExt().flock);
    const descriptor = await openFile(join(directory, "flock"), "a");
    return {
      async acquire() {
        await flock(descriptor, "ex");
        return () => flock(descriptor, "un");
      },
      close: () => closeFile(descriptor),
    };
  },
};

export function openContender(name: ContenderName, directory: string): Promise<Contender> {
  return contenders[name](directory);
}

/** Those that can run here. */
export function contendersHere(hasFlock: boolean): ContenderName[] {
  return contenderNames.filter((name) => hasFlock || !name.startsWith("flock"));
}

async function nothing(): Promise<void> {
  // It keeps nothing open.
}
