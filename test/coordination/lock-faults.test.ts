// Locks behind a bad network: whatever is lost, late or made twice, nobody overlaps, and once the network is
// sound again everyone who did not give up is served and nothing is left behind.
import fc from "fast-check";
import type { Held, Lockstep } from "lockstep";
import { isLockstepError, LockstepError, SeededRandom } from "lockstep/base";
import { FaultyStore, type Faults } from "lockstep/simulation";
import type { Change, Query, Store } from "lockstep/store";
import { describe, expect, test } from "vitest";
import { distant, doubtful, settled, ticks, track, ttlMs, World } from "./world.js";

const names = ["x", "y"];
/** What a bad network may make of a call, besides the patience that ran out. */
const excused = ["unavailable", "unknown-outcome", "timeout", "lost"];

/** The clients, and how to make their network sound. */
interface Network {
  clients: Lockstep[];
  heal: () => void;
}

/** What the sections write to: it refuses a token that is lower than one it has seen. */
class Register {
  token = 0n;
  holder: Held | undefined;
  entered = 0;

  enter(held: Held): void {
    // Nobody who is surely in, by the common clock, has company.
    if (this.holder?.isHeld) throw new Error(`overlap: ${this.holder.token} and ${held.token}`);
    if (held.token <= this.token) throw new Error(`the token fell from ${this.token} to ${held.token}`);
    this.token = held.token;
    this.holder = held;
    this.entered++;
  }

  leave(held: Held): void {
    if (held.isHeld && this.holder !== held) throw new Error(`${held.token} was overtaken while held`);
    if (this.holder === held) this.holder = undefined;
  }
}

interface Expectations {
  /** Whether keys may be left that only their client's end removes. */
  mayBlock?: boolean;
}

async function play(
  seed: number,
  build: (world: World, random: SeededRandom) => Network,
  { mayBlock = false }: Expectations = {},
): Promise<void> {
  const random = new SeededRandom(seed);
  const world = new World();
  const { clients, heal } = build(world, random);
  const registers = new Map(names.map((name) => [name, new Register()]));
  const pass = (ms: number) => new Promise<void>((resolve) => world.clock.after(ms, resolve));

  const section = (name: string) => async (held: Held) => {
    const register = registers.get(name)!;
    register.enter(held);
    await pass(random.below(random.chance(0.1) ? ttlMs * 2 : 100));
    register.leave(held);
  };
  const task = async (index: number) => {
    const name = names[index % names.length]!;
    const lock = clients[index % clients.length]!.lock(name);
    const timeoutMs = random.chance(0.3) ? random.below(500) : undefined;
    await pass(random.below(2000));
    for (;;) {
      try {
        if (random.chance(0.1)) {
          const held = await lock.tryAcquire();
          if (held) await section(name)(held);
          await held?.[Symbol.asyncDispose]();
        } else await lock.run(section(name), { timeoutMs });
        return;
      } catch (error) {
        if (!isLockstepError(error) || !excused.includes(error.code)) throw error;
        // Who gave up stays away; the others try again.
        if (error.code === "timeout" || error.code === "lost") return;
        await pass(random.below(200));
      }
    }
  };
  const tasks = Array.from({ length: 16 }, (_, index) => track(task(index)));
  const failed = () => tasks.find((one) => one.state === "rejected");
  const isOver = () => failed() !== undefined || tasks.every((one) => one.state === "resolved");
  for (let i = 0; i < 40 && !isOver(); i++) await world.clock.advance(100);
  heal();
  // Everyone gets at most so long: a session that dies unheard-of delays the ones behind it by its time to
  // live.
  for (let i = 0; i < (mayBlock ? 80 : 1000) && !isOver(); i++) await world.clock.advance(250);
  if (failed()) throw failed()!.error;

  if (!mayBlock) {
    expect(tasks.filter((one) => one.state === "pending")).toEqual([]);
    // What a lost session or a lost delete left behind goes with the session.
    await world.clock.advance(ttlMs * 1.2);
    expect(await world.keys("lock/")).toEqual([]);
  }
  const last = world.client();
  for (const client of mayBlock ? [] : [...clients, last]) {
    for (const name of names) {
      const next = track(client.lock(name).acquire({ timeoutMs: 1000 }));
      await world.clock.advance(1000);
      if (next.state === "rejected") throw next.error;
      registers.get(name)!.enter(next.value!);
      const released = next.value!.release();
      await world.clock.advance(1000);
      await released;
      registers.get(name)!.leave(next.value!);
    }
  }
  for (const client of clients) {
    const closed = client.close();
    await world.clock.advance(ttlMs);
    await closed;
  }
  for (const name of names) expect((await last.lock(name).tryAcquire())?.isHeld).toBe(true);
  await last.close();
  const { entries, sessions } = await world.store.read({ prefix: "", sessions: true });
  expect([entries, sessions]).toEqual([[], []]);
}

function faultyNetwork(faults: Omit<Faults, "seed" | "clock">) {
  return (world: World, random: SeededRandom): Network => {
    const stores: FaultyStore[] = [];
    const wrap = (store: Store) => {
      const faulty = new FaultyStore(store, { ...faults, seed: random.below(2 ** 31), clock: world.clock });
      stores.push(faulty);
      return faulty;
    };
    const clients = Array.from({ length: 1 + random.below(4) }, () => world.client(wrap));
    return { clients, heal: () => stores.forEach((store) => store.heal()) };
  };
}

function check(runs: number, property: (seed: number) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), property), { numRuns: runs });
}

describe("locks behind a network", () => {
  test("that is slow", () => check(60, (seed) => play(seed, faultyNetwork({ delayMs: 30 }))));

  test("that is slower than sessions live", () =>
    check(30, (seed) => play(seed, faultyNetwork({ delayMs: ttlMs * 0.8 }))));

  test("that loses requests", () =>
    check(60, (seed) => play(seed, faultyNetwork({ loseRequest: 0.2, delayMs: 10 }))));

  test("that loses replies", () =>
    check(60, (seed) => play(seed, faultyNetwork({ loseReply: 0.2, delayMs: 10 }))));

  test("that loses nearly everything", () =>
    check(40, (seed) => play(seed, faultyNetwork({ loseRequest: 0.4, loseReply: 0.4, delayMs: 50 }))));

  test("that makes changes it had given up for lost, later", () =>
    check(120, (seed) =>
      play(seed, (world, random) => {
        const heals: (() => void)[] = [];
        const wrap = (store: Store) => {
          const lateMs = random.chance(0.5) ? 200 : ttlMs;
          const { store: wrapped, heal } = doubtful(store, world.clock, random, 0.3, lateMs);
          heals.push(heal);
          return wrapped;
        };
        const clients = Array.from({ length: 1 + random.below(3) }, () => world.client(wrap));
        return { clients, heal: () => heals.forEach((heal) => heal()) };
      }),
    ));
});

// An engine must not make a change again that it has acknowledged: no condition can refuse a put of a key
// that was there and is gone. If one did, its key would block the queue until its client goes; but nobody
// would overlap.
test("locks behind a network that makes acknowledged changes twice may block, but never overlap", () =>
  check(60, (seed) => play(seed, faultyNetwork({ duplicate: 0.1, delayMs: 10 }), { mayBlock: true })));

describe("a commit whose fate is unknown", () => {
  /** How it goes with the next commit: it is made or not; and whether the store can be read afterwards. */
  interface Trick {
    isMade: boolean;
    isReadable?: boolean;
  }

  /** A client whose next commit goes as the trick says, and is made (again) when the list is called. */
  function misled(world: World) {
    const late: (() => Promise<unknown>)[] = [];
    const state: { trick?: Trick | undefined; unreadable?: boolean } = {};
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      commit: async (change: Change) => {
        const { trick } = state;
        if (!trick) return store.commit(change);
        state.trick = undefined;
        state.unreadable = trick.isReadable === false;
        if (trick.isMade) await store.commit(change);
        late.push(() => store.commit(change));
        throw new LockstepError("unknown-outcome", "nobody knows", { applied: "maybe" });
      },
      read: async (query: Query) => {
        if (state.unreadable) throw new LockstepError("unavailable", "out of reach");
        return store.read(query);
      },
    }));
    return { client, late, state };
  }

  for (const trick of [{ isMade: false }, { isMade: true }, { isMade: false, isReadable: false }]) {
    const how = JSON.stringify(trick);

    test(`leaves no key that blocks the lock, though its session lives on: ${how}`, async () => {
      const world = new World();
      const { client, late, state } = misled(world);
      // A hold that outlives everything, on the same session.
      const forEver = await client.lock("y").acquire();
      state.trick = trick;
      const acquired = track(client.lock("x").acquire());
      await settled();
      if (trick.isReadable === false) expect(acquired.error).toMatchObject({ code: "unknown-outcome" });
      else await acquired.value!.release();
      state.unreadable = false;
      await late[0]!();
      expect(await world.keys("lock/x/")).toHaveLength(1);
      await world.clock.advance(ttlMs);
      expect(await world.keys("lock/x/")).toEqual([]);
      forEver.assertHeld();
      expect(await world.client().lock("x").tryAcquire()).not.toBeNull();
    });

    test(`of a hand-over, too: ${how}`, async () => {
      const world = new World();
      const { client, late, state } = misled(world);
      const forEver = await client.lock("y").acquire();
      const held = await client.lock("x").acquire();
      const next = track(client.lock("x").acquire());
      state.trick = trick;
      await held.release();
      state.unreadable = false;
      await settled();
      await next.value?.release();
      await late[0]!();
      await world.clock.advance(ttlMs);
      expect(await world.keys("lock/x/")).toEqual([]);
      forEver.assertHeld();
    });
  }

  test("leaves no session behind: the one it retires ends with its last key", async () => {
    const world = new World();
    const { client, state } = misled(world);
    const forEver = await client.lock("y").acquire();
    for (const isMade of [true, false, true]) {
      state.trick = { isMade };
      await client.lock("x").run(() => undefined);
    }
    const sessions = async () => (await world.client().census()).sessions.length;
    // The next one is opened when it is needed.
    expect(await sessions()).toBe(1);
    await forEver.release();
    expect(await sessions()).toBe(0);
  });

  test("made twice, does not undo what was proclaimed since", async () => {
    const world = new World();
    const { client, late, state } = misled(world);
    state.trick = { isMade: true };
    const term = (await client.election("e").campaign({ value: "old" }).next()).value;
    await term.proclaim("new");
    await late[0]!();
    expect(await client.election("e").leader()).toEqual({ value: "new", token: term.token });
  });
});

describe("a waiter", () => {
  test("whose session the store has forgotten joins again at once, behind those who came since", async () => {
    const world = new World();
    const holder = await world.client().lock("x").acquire();
    const waiting = track(world.client().lock("x").acquire());
    await settled();
    const behind = track(world.client().lock("x").acquire());
    await settled();
    const { entries } = await world.store.read({ prefix: "lock/", order: "created" });
    world.data.endLease(entries[1]!.session!);
    expect(await world.keys("lock/")).toHaveLength(2);
    await world.clock.advance(ttlMs / 2);
    expect(await world.keys("lock/")).toHaveLength(3);
    await holder.release();
    await settled();
    expect([behind.state, waiting.state]).toEqual(["resolved", "pending"]);
    await behind.value!.release();
    await settled();
    expect(waiting.state).toBe("resolved");
  });

  test("keeps its place while the store is out of reach", async () => {
    const world = new World();
    let isAway = false;
    const unreachable = async <T>(call: () => Promise<T>) => {
      if (isAway) throw new LockstepError("unavailable", "out of reach");
      return call();
    };
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      read: (query: Query) => unreachable(() => store.read(query)),
    }));
    const holder = await world.client().lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await settled();
    const behind = track(world.client().lock("x").acquire());
    await settled();
    isAway = true;
    await holder.release();
    await world.clock.advance(ttlMs * 2);
    expect([waiting.state, behind.state]).toEqual(["pending", "pending"]);
    isAway = false;
    await world.clock.advance(ttlMs);
    expect([waiting.state, behind.state]).toEqual(["resolved", "pending"]);
  });

  test("is woken by an engine that knows no past: the watch's resync tells", async () => {
    const world = new World();
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      watch: (prefix, options) => {
        const begin = async function* () {
          await ticks(20);
          yield* store.watch(prefix, { signal: options?.signal });
        };
        return begin();
      },
    }));
    for (let step = 0; step < 40; step += 3) {
      const holder = await world.client().lock("x").acquire();
      const waiting = track(client.lock("x").acquire());
      await ticks(step);
      await holder.release();
      await settled();
      expect([step, waiting.state]).toEqual([step, "resolved"]);
      await waiting.value!.release();
    }
  });
});
