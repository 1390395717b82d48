// Locks on Redis; a place is its address.
import { Redis } from "ioredis";
import { alone } from "./alone.js";
import { lockstepAt, type Contender, type Contenders } from "../contender.js";
import { loadPeer } from "../peers.js";

const ttlMs = 10_000;

interface RedisSemaphore {
  readonly Mutex: new (
    redis: Redis,
    key: string,
    options: { lockTimeout: number; acquireTimeout: number; retryInterval: number },
  ) => { acquire: () => Promise<void>; release: () => Promise<void> };
}

type Redlock = new (
  clients: readonly Redis[],
  settings: { retryCount: number; retryDelay: number; retryJitter: number },
) => { acquire: (keys: string[], ttlMs: number) => Promise<{ release: () => Promise<unknown> }> };

export const contenders = {
  lockstep: lockstepAt,

  async "redis-semaphore"(address) {
    const { Mutex } = await loadPeer<RedisSemaphore>("redis-semaphore");
    const redis = new Redis(address);
    const options = { lockTimeout: ttlMs, acquireTimeout: Infinity, retryInterval: 1 };
    return {
      lock: (name) => async () => {
        const mutex = new Mutex(redis, name, options);
        await mutex.acquire();
        return () => mutex.release();
      },
      close: () => redis.quit(),
    };
  },

  async "@sesamecare-oss/redlock"(address) {
    const { Redlock } = await loadPeer<{ Redlock: Redlock }>("@sesamecare-oss/redlock");
    return redlockAt(address, Redlock, "sesamecare:");
  },

  async redlock(address) {
    const { default: Redlock } = await loadPeer<{ default: Redlock }>("redlock");
    return redlockAt(address, Redlock, "redlock:");
  },
} satisfies Contenders;

/** All of them use one server, and so names of their own. */
function redlockAt(address: string, Redlock: Redlock, prefix: string): Contender {
  const redis = new Redis(address);
  const redlock = new Redlock([redis], { retryCount: -1, retryDelay: 1, retryJitter: 1 });
  return {
    lock: (name) => async () => {
      const held = await redlock.acquire([prefix + name], ttlMs);
      return () => held.release();
    },
    close: () => redis.quit(),
  };
}

export const subjects = alone(contenders);
