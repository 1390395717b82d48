// Readers together, or one writer: RwLock and its peer.
import { RwLock } from "lockstep/sync";
import type { Subjects, Workloads } from "../apart.js";
import { Pace, paceOf } from "../pace.js";
import { loadPeer } from "../peers.js";

interface AsyncRwLock {
  readonly readLock: () => Promise<void>;
  readonly writeLock: () => Promise<void>;
  readonly unlock: () => void;
}

/** A lock as a user of its package would write it. */
interface RwLockInUse {
  readonly reads: (pace: Pace) => Promise<void>;
  readonly writes: (pace: Pace) => Promise<void>;
  /** One time in ten it writes, else it reads; where it begins in that is up to the turn. */
  readonly mixes: (pace: Pace, room: Room, turn: number) => Promise<void>;
}

const tasks = 100;
const settled = Promise.resolve();

export const subjects: Subjects = {
  lockstep: () =>
    workloads(() => {
      const { read, write } = new RwLock();
      return {
        async reads(pace) {
          while (pace.goesOn()) (await read.acquire()).release();
        },
        async writes(pace) {
          while (pace.goesOn()) (await write.acquire()).release();
        },
        async mixes(pace, room, turn) {
          for (; pace.goesOn(); turn++) {
            const side = turn % 10 === 0 ? write : read;
            const held = await side.acquire();
            await room.enter(side === write);
            room.leave(side === write);
            held.release();
          }
        },
      };
    }),

  async "async-rwlock"() {
    const { RWLock } = await loadPeer<{ RWLock: new () => AsyncRwLock }>("async-rwlock");
    return workloads(() => {
      const lock = new RWLock();
      return {
        async reads(pace) {
          while (pace.goesOn()) {
            await lock.readLock();
            lock.unlock();
          }
        },
        async writes(pace) {
          while (pace.goesOn()) {
            await lock.writeLock();
            lock.unlock();
          }
        },
        async mixes(pace, room, turn) {
          for (; pace.goesOn(); turn++) {
            const isWriting = turn % 10 === 0;
            await (isWriting ? lock.writeLock() : lock.readLock());
            await room.enter(isWriting);
            room.leave(isWriting);
            lock.unlock();
          }
        },
      };
    });
  },
};

/** Where one reads or writes: proves that the lock is one. */
class Room {
  #readers = 0;
  #writers = 0;

  enter(isWriter: boolean): Promise<void> {
    if (isWriter) this.#writers++;
    else this.#readers++;
    if (this.#writers > 1 || (this.#writers > 0 && this.#readers > 0)) throw new Error("it is no lock");
    return settled;
  }

  leave(isWriter: boolean): void {
    if (isWriter) this.#writers--;
    else this.#readers--;
  }
}

function workloads(open: () => RwLockInUse): Workloads {
  return {
    reads: () => paceOf(open().reads),
    writes: () => paceOf(open().writes),
    async mixed() {
      const { mixes } = open();
      const pace = new Pace();
      const room = new Room();
      const all = Array.from({ length: tasks }, (_, task) => mixes(pace, room, task));
      pace.begin();
      await Promise.all(all);
      return pace.perSecond;
    },
  };
}
