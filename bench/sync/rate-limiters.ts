// So many in each interval, for one or for each of a thousand keys: the rate limiters and their peer.
import { KeyedRateLimiter, RateLimiter } from "lockstep/sync";
import type { Subjects } from "../apart.js";
import { paceOf } from "../pace.js";
import { loadPeer } from "../peers.js";

interface PeerModule {
  readonly RateLimiterMemory: new (options: { points: number; duration: number }) => {
    readonly consume: (key: string) => Promise<unknown>;
  };
}

/** Never reached here. */
const plenty = 1e9;
const seconds = 1000;
const keys = Array.from({ length: 1000 }, (_, index) => `user/${index}`);

export const subjects: Subjects = {
  lockstep: () => ({
    keyed: () => {
      const limiter = new KeyedRateLimiter<string>({ limit: plenty, intervalMs: seconds * 1000 });
      return paceOf(async (pace) => {
        for (let turn = 0; pace.goesOn(); turn++) await limiter.acquire(keys[turn % keys.length]!);
      });
    },
    plain: () => {
      const limiter = new RateLimiter({ limit: plenty, intervalMs: seconds * 1000 });
      return paceOf(async (pace) => {
        while (pace.goesOn()) await limiter.acquire();
      });
    },
    // Whoever would not wait need not await either.
    refused: () => {
      const limiter = new KeyedRateLimiter<string>({ limit: 1, intervalMs: seconds * 1000 });
      for (const key of keys) limiter.tryAcquire(key);
      return paceOf((pace) => {
        for (let turn = 0; pace.goesOn(); turn++) {
          if (limiter.tryAcquire(keys[turn % keys.length]!)) throw new Error("it was to be refused");
        }
      });
    },
    atOnce: () => {
      const limiter = new KeyedRateLimiter<string>({ limit: plenty, intervalMs: seconds * 1000 });
      return paceOf((pace) => {
        for (let turn = 0; pace.goesOn(); turn++) {
          if (!limiter.tryAcquire(keys[turn % keys.length]!)) throw new Error("there is plenty");
        }
      });
    },
  }),

  async "rate-limiter-flexible"() {
    const { RateLimiterMemory } = await loadPeer<PeerModule>("rate-limiter-flexible");
    return {
      keyed: () => {
        const limiter = new RateLimiterMemory({ points: plenty, duration: seconds });
        return paceOf(async (pace) => {
          for (let turn = 0; pace.goesOn(); turn++) await limiter.consume(keys[turn % keys.length]!);
        });
      },
      plain: () => {
        const limiter = new RateLimiterMemory({ points: plenty, duration: seconds });
        return paceOf(async (pace) => {
          while (pace.goesOn()) await limiter.consume("all");
        });
      },
      refused: async () => {
        const limiter = new RateLimiterMemory({ points: 1, duration: seconds });
        for (const key of keys) await limiter.consume(key);
        return paceOf(async (pace) => {
          for (let turn = 0; pace.goesOn(); turn++) {
            if (await limiter.consume(keys[turn % keys.length]!).then(yes, no)) {
              throw new Error("it was to be refused");
            }
          }
        });
      },
    };
  },
};

const yes = () => true;
const no = () => false;
