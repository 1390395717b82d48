// Locks among the processes of one host; a place is a directory.
import { closeSync, close as closeCallback, open as openCallback, openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { lockstepAt, type Contenders } from "./contender.js";
import { loadFsExt, loadProperLockfile } from "./peers.js";

const openFile = promisify(openCallback);
const closeFile = promisify(closeCallback);

export const contenders = {
  lockstep: (directory) => lockstepAt(`lmdb:${join(directory, "lockstep")}`),

  async "proper-lockfile"(directory) {
    const { lock } = loadProperLockfile();
    // The best of those tried: see README.md.
    const retries = { forever: true, factor: 1, minTimeout: 1, maxTimeout: 1 };
    return {
      lock: (name) => () => lock(join(directory, name), { realpath: false, retries }),
      close: nothing,
    };
  },

  /** As a lock by name must: whoever asks for it opens its file. */
  async "flock by name"(directory) {
    const flock = promisify(loadFsExt().flock);
    return {
      lock: (name) => async () => {
        const descriptor = await openFile(join(directory, name), "a");
        await flock(descriptor, "ex");
        return () => closeFile(descriptor);
      },
      close: nothing,
    };
  },

  /** As fast as it can be: for a lock that a process opens once and keeps. */
  async "flock kept open"(directory) {
    const flock = promisify(loadFsExt().flock);
    const descriptors: number[] = [];
    return {
      lock(name) {
        const descriptor = openSync(join(directory, name), "a");
        descriptors.push(descriptor);
        return async () => {
          await flock(descriptor, "ex");
          return () => flock(descriptor, "un");
        };
      },
      async close() {
        for (const descriptor of descriptors) closeSync(descriptor);
      },
    };
  },
} satisfies Contenders;

export type ContenderName = keyof typeof contenders;

/** Those that can run here. */
export function contendersHere(hasFlock: boolean): ContenderName[] {
  const names = Object.keys(contenders) as ContenderName[];
  return names.filter((name) => hasFlock || !name.startsWith("flock"));
}

async function nothing(): Promise<void> {
  // It keeps nothing open.
}
