import type { Clock } from "../base/clock.js";
import type { Store } from "../store/store.js";

/** A new and empty store, for one test, and what else depends on the engine. */
export interface Fixture {
  /** Another client of the same data. */
  connect(): Promise<Store>;
  /**
   * A client whose sessions are never renewed, like those of a frozen process: {@link frozenClock} makes one.
   */
  connectFrozen(): Promise<Store>;
  /** Waits by the clock of the clients: in real time, or by moving a manual clock on. */
  sleep(ms: number): Promise<void>;
  /** Called last, when every client is closed. */
  dispose(): Promise<void>;
}

/** What vitest and node:test have in common. A test may take ten times the engine's least time to live. */
export interface Runner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/** What one test is given. Every client is closed after it. */
export interface Setting {
  readonly store: Store;
  /** A second client. */
  readonly other: Store;
  connect(): Promise<Store>;
  connectFrozen(): Promise<Store>;
  sleep(ms: number): Promise<void>;
}

/** Declares one test of the suite. */
export type Check = (name: string, body: (setting: Setting) => Promise<void>) => void;

export async function inSetting(
  open: () => Promise<Fixture>,
  body: (setting: Setting) => Promise<void>,
): Promise<void> {
  const fixture = await open();
  const clients: Store[] = [];
  const kept = async (connecting: Promise<Store>) => {
    const store = await connecting;
    clients.push(store);
    return store;
  };
  const connect = () => kept(fixture.connect());
  try {
    await body({
      store: await connect(),
      other: await connect(),
      connect,
      connectFrozen: () => kept(fixture.connectFrozen()),
      sleep: (ms) => fixture.sleep(ms),
    });
  } finally {
    // Settled, whatever comes of it: a failure to close must not hide the failure of the test.
    await Promise.allSettled(clients.map((store) => store.close()));
    await fixture.dispose();
  }
}

/** A clock that goes on while nothing that waits for it is ever woken: what a frozen process sees of time. */
export function frozenClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    after: () => ({ cancel: nothing }),
  };
}

function nothing(): void {
  // There is no timer to cancel.
}
