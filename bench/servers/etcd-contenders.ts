// Locks on etcd; a place is its address.
import { setTimeout as sleep } from "node:timers/promises";
import { alone } from "./alone.js";
import { lockstepAt, type Contenders } from "../contender.js";
import { loadPeer } from "../peers.js";

const ttlSeconds = 10;
/** Its lock does not wait, so whoever wants it asks again: the best of the pauses tried, see README.md. */
const retryMs = 50;

interface Etcd3Lock {
  ttl: (seconds: number) => Etcd3Lock;
  acquire: () => Promise<unknown>;
  release: () => Promise<unknown>;
}

interface Etcd3 {
  readonly Etcd3: new (options: { hosts: string }) => {
    lock: (name: string) => Etcd3Lock;
    close: () => void;
  };
  readonly EtcdLockFailedError: new () => Error;
}

export const contenders = {
  lockstep: lockstepAt,

  async etcd3(address) {
    const { Etcd3, EtcdLockFailedError } = await loadPeer<Etcd3>("etcd3");
    const client = new Etcd3({ hosts: new URL(address).host });
    return {
      lock: (name) => async () => {
        for (;;) {
          const lock = client.lock(name).ttl(ttlSeconds);
          try {
            await lock.acquire();
            return () => lock.release();
          } catch (error) {
            if (!(error instanceof EtcdLockFailedError)) throw error;
            await sleep(retryMs);
          }
        }
      },
      close: async () => client.close(),
    };
  },
} satisfies Contenders;

export const subjects = alone(contenders);
