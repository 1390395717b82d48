// Days on which somebody stops for longer than its session lives, and goes on as if nothing had happened.
import { expect } from "vitest";
import type { Day } from "./day.js";

export const holderPaused: Day = {
  number: 1,
  title: "a holder is paused past its TTL, then writes",
  needs: "processes",
  async play(world) {
    const [paused, successor] = await Promise.all([world.remoteParty("paused"), world.party("successor")]);
    await paused.acquire();
    expect(paused.write()).toBe(true);
    expect(await paused.isHeld()).toBe(true);
    paused.freeze();
    await successor.acquire();
    expect(successor.write()).toBe(true);
    paused.thaw();
    // It had looked before it was paused; so it does not look again.
    expect(paused.write()).toBe(false);
    expect(await paused.believes()).toMatchObject({ isHeld: false, isWarned: true });
    expect(await successor.isHeld()).toBe(true);
    expect(world.witness.refused).toBe(1);
  },
};

export const waiterExpires: Day = {
  number: 4,
  title: "a waiter's session expires",
  needs: "processes",
  async play(world) {
    const [holder, waiter, onlooker] = await Promise.all([
      world.party("holder"),
      world.remoteParty("waiter"),
      world.client(),
    ]);
    await holder.acquire();
    const waited = waiter.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 2);
    waiter.freeze();
    await world.until(async () => (await world.queued(onlooker)) === 1);
    const next = await world.party("next");
    const granted = next.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 2);
    await holder.release();
    await granted;
    waiter.thaw();
    // It lost its place, not its wish: it stands behind who came while it was away.
    await world.until(async () => (await world.queued(onlooker)) === 2);
    expect(await next.isHeld()).toBe(true);
    await next.release();
    await waited;
    expect(await waiter.isHeld()).toBe(true);
  },
};

export const expiryBetweenEventAndGrant: Day = {
  number: 5,
  title: "a waiter's session expires between the event and the grant",
  needs: "processes",
  async play(world) {
    const [holder, waiter, onlooker] = await Promise.all([
      world.party("holder"),
      world.remoteParty("waiter"),
      world.client(),
    ]);
    await holder.acquire();
    const waited = waiter.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 2);
    const next = await world.party("next");
    const granted = next.acquire();
    await world.until(async () => (await world.queued(onlooker)) === 3);
    // The event reaches a process that is frozen, and finds it when it wakes; by then it is somebody else's.
    waiter.freeze();
    await holder.release();
    await granted;
    waiter.thaw();
    expect(await waiter.isHeld()).toBe(false);
    await world.until(async () => (await world.queued(onlooker)) === 2);
    expect(await next.isHeld()).toBe(true);
    await next.release();
    await waited;
    expect(await waiter.isHeld()).toBe(true);
  },
};

export const loopBlocked: Day = {
  number: 16,
  title: "a holder's event loop is blocked for twice the TTL",
  needs: "processes",
  async play(world) {
    const [blocked, successor] = await Promise.all([world.remoteParty("blocked"), world.party("successor")]);
    await blocked.acquire();
    const over = blocked.block(2 * world.ttlMs);
    await successor.acquire();
    expect(await successor.isHeld()).toBe(true);
    // The very first that it asks, before any of its timers and replies has run.
    expect((await over).isHeld).toBe(false);
    expect(successor.write()).toBe(true);
    expect(blocked.write()).toBe(false);
    expect(await blocked.believes()).toMatchObject({ isHeld: false, isWarned: true });
  },
};
