// A row for each of the primitives that npm has no equal of, or hardly any.
import {
  Actor,
  AtomicRef,
  Barrier,
  Channel,
  Condition,
  Event,
  KeyedMutex,
  Latch,
  Lazy,
  Limiter,
  Mutex,
  Notify,
  Once,
  select,
  SingleFlight,
} from "lockstep/sync";
import type { Subjects } from "../apart.js";
import { crowded } from "../crowd.js";
import { paceOf, type Pace } from "../pace.js";
import * as peers from "./lock-contenders.js";

const room = 10;
const waiters = 100;

/** As many tasks as there are turns, each of which counts for itself. */
const together = (pace: Pace, turns: readonly ((pace: Pace) => Promise<void>)[]) =>
  Promise.all(turns.map((turn) => turn(pace))).then(() => undefined);

const one = (loop: (pace: Pace) => Promise<void> | void) => () => ({ each: () => paceOf(loop) });

export const subjects: Subjects = {
  "bare promise": one(async (pace) => {
    while (pace.goesOn()) {
      let resolve: (() => void) | undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      resolve!();
      await promise;
    }
  }),

  KeyedMutex: one(async (pace) => {
    const mutex = new KeyedMutex();
    const keys = Array.from({ length: 1000 }, (_, index) => `account/${index}`);
    for (let turn = 0; pace.goesOn(); turn++) (await mutex.acquire(keys[turn % 1000]!)).release();
  }),

  Condition: one((pace) => {
    const mutex = new Mutex();
    const changed = new Condition(mutex);
    let turn = 0;
    const player = (mine: number) => async () => {
      const held = await mutex.acquire();
      while (pace.goesOn()) {
        while (turn !== mine) await changed.wait(held);
        turn = 1 - mine;
        changed.notifyOne();
      }
      turn = 1 - mine;
      changed.notifyOne();
      held.release();
    };
    return together(pace, [player(0), player(1)]);
  }),

  Event: one(async (pace) => {
    const event = new Event();
    while (pace.goesOn()) {
      const waiting = event.wait();
      event.set();
      await waiting;
      event.reset();
    }
  }),

  Notify: one((pace) => {
    const [ping, pong] = [new Notify(), new Notify()];
    const player = (mine: Notify, other: Notify) => async () => {
      while (pace.goesOn()) {
        other.notifyOne();
        await mine.wait();
      }
      other.notifyOne();
    };
    return together(pace, [player(ping, pong), player(pong, ping)]);
  }),

  Barrier: one(async (pace) => {
    const parties = 4;
    const barrier = new Barrier(parties);
    // All of them make as many trips, or some would wait for those who went home.
    const party = async (_: unknown, index: number) => {
      for (let trip = 0; trip < 64; trip++) {
        if (index === 0) pace.goesOn();
        await barrier.wait();
      }
    };
    while (!pace.isOver) await Promise.all(Array.from({ length: parties }, party));
  }),

  Latch: one(async (pace) => {
    while (pace.goesOn()) {
      const latch = new Latch(2);
      const waiting = latch.wait();
      latch.countDown();
      latch.countDown();
      await waiting;
    }
  }),

  Actor: one(async (pace) => {
    const actor = new Actor(() => ({ next: (number: number) => number + 1 }));
    for (let sent = 0; pace.goesOn(); sent++) {
      if ((await actor.ask("next", sent)) !== sent + 1) throw new Error("another answer");
    }
  }),

  select: one(async (pace) => {
    const jobs = new Channel<number>({ capacity: 1 });
    const quit = new Channel<never>({ capacity: 0 });
    for (let job = 0; pace.goesOn(); job++) {
      jobs.trySend(job);
      const { value } = await select({ quit: quit.receiving(), jobs: jobs.receiving() });
      if (value !== job) throw new Error("another job");
    }
  }),

  Limiter: () => {
    const limiter = new Limiter({ concurrency: room });
    return {
      each: () =>
        crowded(room, waiters, async (crowd) => {
          while (crowd.goesOn()) await limiter.run(crowd.section);
        }),
    };
  },
  "p-limit": async () => {
    const open = await peers.pLimit();
    return { each: () => crowded(room, waiters, open(room).task) };
  },
  "p-queue": async () => {
    const open = await peers.pQueue();
    return { each: () => crowded(room, waiters, open(room).task) };
  },

  SingleFlight: one((pace) => {
    const flights = new SingleFlight<string, number>();
    const load = async () => 1;
    const caller = async () => {
      while (pace.goesOn()) await flights.run("config", load);
    };
    return together(pace, new Array(10).fill(caller));
  }),

  Once: one(async (pace) => {
    const once = new Once();
    while (pace.goesOn()) await once.run(nothing);
  }),

  Lazy: one(async (pace) => {
    const lazy = new Lazy(() => 1);
    while (pace.goesOn()) await lazy.get();
  }),

  AtomicRef: one((pace) => {
    const ref = new AtomicRef(0);
    while (pace.goesOn()) if (!ref.compareAndSet(ref.get(), ref.get() + 1)) throw new Error("changed");
  }),

  "AtomicRef.update": one(async (pace) => {
    const ref = new AtomicRef(0);
    while (pace.goesOn()) await ref.update((count) => count + 1);
  }),
};

function nothing(): void {
  // It is only counted.
}
