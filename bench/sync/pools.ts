// Ten resources that are lent: Pool and its peers, all of them made beforehand, none of them checked.
import { Pool } from "lockstep/sync";
import type { Subjects, Workloads } from "../apart.js";
import { crowded } from "../crowd.js";
import { loadPeer } from "../peers.js";
import type { LockInUse } from "./lock-workloads.js";

interface GenericPool {
  readonly createPool: (
    factory: { create: () => Promise<Resource>; destroy: () => Promise<void> },
    options: { min: number; max: number },
  ) => {
    readonly ready: () => Promise<void>;
    readonly acquire: () => Promise<Resource>;
    readonly release: (resource: Resource) => Promise<void>;
  };
}

interface Tarn {
  readonly Pool: new (options: {
    create: () => Promise<Resource>;
    destroy: () => void;
    min: number;
    max: number;
  }) => {
    readonly acquire: () => { readonly promise: Promise<Resource> };
    readonly release: (resource: Resource) => void;
  };
}

interface Resource {
  readonly number: number;
}

type Task = LockInUse["task"];

const size = 10;
let made = 0;
const make = async (): Promise<Resource> => ({ number: made++ });

export const subjects: Subjects = {
  lockstep: () =>
    workloads(async () => {
      const pool = new Pool<Resource>({ make, max: size });
      const all = await Promise.all(Array.from({ length: size }, () => pool.acquire()));
      for (const lease of all) lease.release();
      return async (crowd) => {
        while (crowd.goesOn()) {
          const lease = await pool.acquire();
          if (crowd.stays) {
            await crowd.inside();
            crowd.leave();
          }
          lease.release();
        }
      };
    }),

  async "generic-pool"() {
    const { createPool } = await loadPeer<GenericPool>("generic-pool");
    return workloads(async () => {
      const pool = createPool({ create: make, destroy: async () => undefined }, { min: size, max: size });
      await pool.ready();
      return lending(
        () => pool.acquire(),
        (resource) => void pool.release(resource),
      );
    });
  },

  async tarn() {
    const { Pool: Tarn } = await loadPeer<Tarn>("tarn");
    return workloads(async () => {
      const pool = new Tarn({ create: make, destroy: () => undefined, min: size, max: size });
      const all = await Promise.all(Array.from({ length: size }, () => pool.acquire().promise));
      for (const resource of all) pool.release(resource);
      return lending(
        () => pool.acquire().promise,
        (resource) => pool.release(resource),
      );
    });
  },
};

function lending(acquire: () => Promise<Resource>, release: (resource: Resource) => void): Task {
  return async (crowd) => {
    while (crowd.goesOn()) {
      const resource = await acquire();
      if (crowd.stays) {
        await crowd.inside();
        crowd.leave();
      }
      release(resource);
    }
  };
}

function workloads(open: () => Promise<Task>): Workloads {
  return {
    uncontended: async () => crowded(size, 0, await open()),
    hundredWaiters: async () => crowded(size, 100, await open()),
  };
}
