// Elections where exactness matters: in every order of a few steps, and before a store is asked. What they do
// on every engine is in recipes/.
import type { Term } from "lockstep";
import { LockstepError, SeededRandom } from "lockstep/base";
import { frozenClock } from "lockstep/conformance";
import { FaultyStore } from "lockstep/simulation";
import type { Change, Store } from "lockstep/store";
import { describe, expect, test } from "vitest";
import { codeOf, distant, doubtful, settled, ticks, track, ttlMs, World } from "./world.js";

const reason = new Error("enough");

describe("a campaign", () => {
  test("goes on alone: the term that begins anew has a new token", async () => {
    const terms = new World().client().election("e").campaign();
    const first = (await terms.next()).value;
    const second = (await terms.next()).value;
    expect(first.isHeld).toBe(false);
    expect(second.isHeld).toBe(true);
    expect(second.token).toBeGreaterThan(first.token);
    await terms.return(undefined as never);
    expect(second.isHeld).toBe(false);
  });

  test("whose body throws leaves, and rethrows", async () => {
    const world = new World();
    const campaign = async () => {
      for await (const term of world.client().election("e").campaign()) {
        if (term.isHeld) throw reason;
      }
    };
    await expect(campaign()).rejects.toBe(reason);
    expect(await world.keys("")).toEqual([]);
  });

  test("that is aborted while waiting rejects with the reason, and withdraws", async () => {
    const world = new World();
    const leader = world.client().election("e").campaign();
    await leader.next();
    const abort = new AbortController();
    const waiting = track(world.client().election("e").campaign({ signal: abort.signal }).next());
    await settled();
    expect(await world.keys("election/")).toHaveLength(2);
    abort.abort(reason);
    await settled();
    expect(waiting.error).toBe(reason);
    expect(await world.keys("election/")).toHaveLength(1);
  });

  test("that was aborted before asks for nothing", async () => {
    const world = new World();
    const campaign = world
      .client()
      .election("e")
      .campaign({ signal: AbortSignal.abort(reason) });
    await expect(campaign.next()).rejects.toBe(reason);
    expect((await world.store.read({ prefix: "", sessions: true })).sessions).toEqual([]);
  });

  test("stands again after its session is lost, be it leading or waiting", async () => {
    const world = new World();
    const leading = world.client().election("e").campaign();
    const first = (await leading.next()).value;
    const waiting = track(world.client().election("e").campaign().next());
    await settled();
    world.clock.jump(ttlMs * 2);
    expect(first.isHeld).toBe(false);
    expect(first.signal.reason).toMatchObject({ code: "lost" });
    const again = track(leading.next());
    await world.clock.advance(ttlMs);
    expect([waiting.state, again.state].sort()).toEqual(["pending", "resolved"]);
    const term = (waiting.value ?? again.value)!.value;
    expect(term.token).toBeGreaterThan(first.token);
    expect(await world.keys("election/")).toHaveLength(2);
  });

  test("of a closed client rejects, and its term is lost", async () => {
    const world = new World();
    const client = world.client();
    const term = (await client.election("e").campaign().next()).value;
    const waiting = codeOf(client.election("e").campaign().next());
    await settled();
    await client.close();
    expect(await waiting).toBe("closed");
    expect(term.isHeld).toBe(false);
    expect(term.signal.aborted).toBe(true);
    expect(await codeOf(client.election("e").campaign().next())).toBe("closed");
    expect(await codeOf(client.election("e").leader())).toBe("closed");
    expect(() => client.election("e").observe()).toThrow(/closed/);
    expect(await world.keys("")).toEqual([]);
  });

  test("two of one client are two candidates", async () => {
    const election = new World().client().election("e");
    const [a, b] = [election.campaign(), election.campaign()];
    await a.next();
    const other = track(b.next());
    await settled();
    expect(other.state).toBe("pending");
    await a.return(undefined as never);
    await settled();
    expect(other.state).toBe("resolved");
  });

  test("refuses what makes no sense", async () => {
    const client = new World().client();
    expect(() => client.election("")).toThrow(expect.objectContaining({ code: "bad-input" }) as Error);
    const election = client.election("e");
    const nonsense = [
      { value: 5 },
      { value: null },
      { value: "x".repeat(65_537) },
      { signal: {} },
    ] as never[];
    for (const options of nonsense) expect(await codeOf(election.campaign(options).next())).toBe("bad-input");
    const term = (await election.campaign().next()).value;
    expect(await codeOf(term.proclaim(7 as never))).toBe("bad-input");
  });
});

test("an observer of many candidates sees the one who stood first", async () => {
  const world = new World();
  const names = Array.from({ length: 10 }, (_, i) => String(i));
  const seen: (string | null)[] = [];
  const observing = async () => {
    for await (const leader of world.client().election("e").observe()) seen.push(leader && leader.value);
  };
  void observing();
  const campaigns = names.map((name) => world.client().election("e").campaign({ value: name }));
  for (const campaign of campaigns) {
    void campaign.next();
    await settled();
  }
  for (const campaign of campaigns) {
    await campaign.return(undefined as never);
    await settled();
  }
  expect(seen).toEqual([null, ...names, null]);
});

describe("a proclamation", () => {
  test("of a term that is over says 'lost', and changes nothing", async () => {
    const world = new World();
    const campaign = world.client().election("e").campaign({ value: "a" });
    const term = (await campaign.next()).value;
    world.clock.jump(ttlMs);
    const other = world.client().election("e").campaign({ value: "b" });
    await other.next();
    expect(await codeOf(term.proclaim("c"))).toBe("lost");
    expect(await world.client().election("e").leader()).toMatchObject({ value: "b" });
  });

  test("whose fate was unknown never comes after a later one", async () => {
    const world = new World();
    const late: (() => Promise<unknown>)[] = [];
    let isDoubtful = false;
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      commit: async (change: Change) => {
        if (!isDoubtful) return store.commit(change);
        late.push(() => store.commit(change));
        throw new LockstepError("unknown-outcome", "nobody knows", { applied: "maybe" });
      },
    }));
    const term = (await client.election("e").campaign({ value: "a" }).next()).value;
    for (const isMadeFirst of [true, false]) {
      isDoubtful = true;
      expect(await codeOf(term.proclaim("old"))).toBe("unknown-outcome");
      isDoubtful = false;
      if (isMadeFirst) await late.at(-1)!();
      await term.proclaim("new");
      await late.at(-1)!();
      expect((await client.election("e").leader())?.value).toBe("new");
    }
  });

  test("at the same time as another is made too", async () => {
    const world = new World();
    const client = world.client((store) => distant(store, () => ticks(2)));
    const term = (await client.election("e").campaign({ value: "a" }).next()).value;
    await Promise.all([term.proclaim("b"), term.proclaim("c")]);
    expect((await client.election("e").leader())?.value).toBe("c");
  });
});

describe("a leader that freezes", () => {
  test("before it hears of its victory does not take office", async () => {
    const world = new World();
    let gate: Promise<void> | undefined;
    let open: () => void = () => undefined;
    const client = world.client((store) => distant(store, () => gate ?? Promise.resolve()));
    await client.lock("warm").acquire();
    const won = track(client.election("e").campaign().next());
    await Promise.resolve();
    gate = new Promise((resolve) => (open = resolve));
    await settled();
    world.clock.jump(ttlMs);
    const rival = world.client().election("e").campaign();
    const term = (await rival.next()).value;
    gate = undefined;
    open();
    await settled();
    expect(won.state).toBe("pending");
    await rival.return(undefined as never);
    await settled();
    expect(won.value?.value.isHeld).toBe(true);
    expect(won.value!.value.token).toBeGreaterThan(term.token);
  });

  test("is over by its own clock before the next one begins", async () => {
    const world = new World();
    const frozen = world.client(undefined, frozenClock(world.clock));
    const term = (await frozen.election("e").campaign().next()).value;
    const next = track(world.client().election("e").campaign().next());
    for (let passed = 0; passed < ttlMs * 1.5; passed += 100) {
      await world.clock.advance(100);
      if (next.state === "resolved") expect(term.isHeld).toBe(false);
    }
    expect(next.state).toBe("resolved");
    expect(next.value!.value.token).toBeGreaterThan(term.token);
  });

  test("never makes two unexpired terms, whatever the clock and the network do", async () => {
    for (let seed = 0; seed < 120; seed++) {
      const random = new SeededRandom(seed);
      const world = new World();
      const terms: Term[] = [];
      const heals: (() => void)[] = [];
      // A faulty store keeps the session beneath alive by timers, which a jump of the clock leaps over.
      const mayJump = random.chance(0.5);
      const lossy = (store: Store) => {
        const faults = { seed: random.below(1e9), delayMs: 20, loseRequest: 0.05, loseReply: 0.05 };
        const faulty = new FaultyStore(store, { ...faults, clock: world.clock });
        heals.push(() => faulty.heal());
        return faulty;
      };
      const late = (store: Store) => {
        const { store: inner, heal } = doubtful(store, world.clock, random, 0.1, ttlMs);
        heals.push(heal);
        const pause = () => new Promise<void>((resolve) => world.clock.after(random.below(20), resolve));
        return distant(inner, pause);
      };
      const wrap = mayJump ? late : lossy;
      const begin = (term: Term) => {
        const held = terms.filter((other) => other.isHeld);
        expect({ seed, held: held.length }).toEqual({ seed, held: 0 });
        const last = terms.at(-1);
        if (last) expect(term.token > last.token, `seed ${seed}: tokens rise`).toBe(true);
        terms.push(term);
      };
      let failure: unknown;
      const stop = new AbortController();
      const candidates = Array.from({ length: 4 }, async (_, i) => {
        // One of them is frozen from the start: only its deadline ends its terms.
        const clock = i === 0 && random.chance(0.5) ? frozenClock(world.clock) : world.clock;
        const election = world.client(i === 0 ? undefined : wrap, clock).election("e");
        while (!stop.signal.aborted) {
          try {
            for await (const term of election.campaign({ signal: stop.signal })) {
              begin(term);
              await new Promise<void>((resolve) => {
                world.clock.after(random.below(ttlMs / 2), resolve);
              });
            }
          } catch (error) {
            if (error instanceof LockstepError || error === reason) continue;
            failure ??= error;
            stop.abort(reason);
          }
        }
      });
      const all = track(Promise.all(candidates));
      for (let i = 0; i < 60; i++) {
        if (mayJump && random.chance(0.2)) world.clock.jump(random.below(ttlMs * 1.5));
        await world.clock.advance(random.below(1000));
      }
      heals.forEach((heal) => heal());
      stop.abort(reason);
      for (let i = 0; i < 20; i++) await world.clock.advance(ttlMs / 4);
      if (failure) throw failure as Error;
      expect(all.state).toBe("resolved");
      expect(terms.length).toBeGreaterThan(3);
      await world.clock.advance(ttlMs * 1.2);
      expect({ seed, keys: await world.keys("election/") }).toEqual({ seed, keys: [] });
    }
  });
});
