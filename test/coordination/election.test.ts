import { connect, type Leader, type Term } from "lockstep";
import { LockstepError, SeededRandom } from "lockstep/base";
import { frozenClock } from "lockstep/conformance";
import { FaultyStore } from "lockstep/simulation";
import type { Change, Store } from "lockstep/store";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Judge } from "./judge.js";
import { codeOf, distant, doubtful, settled, ticks, track, ttlMs, World } from "./world.js";

const reason = new Error("enough");

describe("a campaign", () => {
  test("leads when nobody else does, until its loop is left", async () => {
    const world = new World();
    const election = world.client().election("e");
    for await (const term of election.campaign({ value: "me" })) {
      expect(term.isHeld).toBe(true);
      expect(await election.leader()).toEqual({ value: "me", token: term.token });
      break;
    }
    expect(await election.leader()).toBeNull();
    expect(await world.keys("")).toEqual([]);
  });

  test("gives terms one after another, in the order of standing, with rising tokens", async () => {
    const world = new World();
    const order: string[] = [];
    const tokens: bigint[] = [];
    let leading = 0;
    const candidates = ["a", "b", "c"].map(async (name) => {
      let terms = 0;
      for await (const term of world.client().election("e").campaign({ value: name })) {
        expect(++leading).toBe(1);
        order.push(name);
        tokens.push(term.token);
        await settled();
        term.assertHeld();
        leading--;
        // The end of the loop's body resigns, and stands again behind the others.
        if (++terms === 4) break;
      }
    });
    await Promise.all(candidates);
    expect(order.join("")).toBe("abcabcabcabc");
    expect([...tokens].sort((x, y) => Number(x - y))).toEqual(tokens);
    expect(new Set(tokens).size).toBe(12);
    expect(await world.keys("")).toEqual([]);
  });

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

  test("may resign early, and the next leads while the body still runs", async () => {
    const world = new World();
    const terms = world.client().election("e").campaign();
    const term = (await terms.next()).value;
    const other = world.client().election("e").campaign();
    const next = other.next();
    await settled();
    await term.release();
    expect((await next).value.isHeld).toBe(true);
    expect(await codeOf(term.release())).toBe("misuse");
    expect(term.signal.aborted).toBe(false);
    await terms.return(undefined as never);
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

  test("that is aborted while leading aborts the term, and lets nobody lead before it ends", async () => {
    const world = new World();
    const abort = new AbortController();
    const campaign = world.client().election("e").campaign({ signal: abort.signal });
    const term = (await campaign.next()).value;
    const other = track(world.client().election("e").campaign().next());
    const signal = term.signal;
    expect(signal.aborted).toBe(false);
    abort.abort(reason);
    await settled();
    expect(signal.reason).toBe(reason);
    expect(term.isHeld).toBe(true);
    expect(other.state).toBe("pending");
    await expect(campaign.next()).rejects.toBe(reason);
    await settled();
    expect(other.state).toBe("resolved");
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

describe("an observer", () => {
  /** All that it has seen so far. */
  function observe(world: World, signal?: AbortSignal) {
    const seen: (string | null)[] = [];
    const leaders: (Leader | null)[] = [];
    const ended = (async () => {
      for await (const leader of world.client().election("e").observe({ signal })) {
        leaders.push(leader);
        seen.push(leader && leader.value);
      }
    })();
    ended.catch(() => undefined);
    return { seen, leaders, ended };
  }

  test("sees who leads, what they proclaim, and nobody in between", async () => {
    const world = new World();
    const { seen, leaders } = observe(world);
    await settled();
    expect(seen).toEqual([null]);
    const campaign = world.client().election("e").campaign({ value: "a" });
    const term = (await campaign.next()).value;
    await settled();
    await term.proclaim("b");
    await term.proclaim("b");
    await settled();
    await campaign.return(undefined as never);
    await settled();
    expect(seen).toEqual([null, "a", "b", null]);
    expect(leaders[1]?.token).toBe(term.token);
    expect(leaders[2]?.token).toBe(term.token);
  });

  test("that comes late begins with who leads now", async () => {
    const world = new World();
    const campaign = world.client().election("e").campaign({ value: "a" });
    await campaign.next();
    const { seen } = observe(world);
    await settled();
    expect(seen).toEqual(["a"]);
  });

  test("sees a hand-over with no gap, and takes no candidate for a leader", async () => {
    const world = new World();
    const { seen } = observe(world);
    await settled();
    const a = world.client().election("e").campaign({ value: "a" });
    await a.next();
    const b = world.client().election("e").campaign({ value: "b" });
    const next = b.next();
    await settled();
    expect(seen).toEqual([null, "a"]);
    await a.return(undefined as never);
    await next;
    await settled();
    expect(seen).toEqual([null, "a", "b"]);
  });

  test("of many candidates sees the one who stood first", async () => {
    const world = new World();
    const names = Array.from({ length: 10 }, (_, i) => String(i));
    const { seen } = observe(world);
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

  test("of another election sees nothing of this one", async () => {
    const world = new World();
    const campaign = world.client().election("e/f").campaign({ value: "a" });
    await campaign.next();
    const { seen } = observe(world);
    await settled();
    expect(seen).toEqual([null]);
  });

  test("ends by its signal, with the reason", async () => {
    const world = new World();
    const abort = new AbortController();
    const { ended } = observe(world, abort.signal);
    await settled();
    abort.abort(reason);
    await expect(ended).rejects.toBe(reason);
  });
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

  test("keeps the term: same token, still first, still bound to its session", async () => {
    const world = new World();
    const client = world.client();
    const term = (await client.election("e").campaign().next()).value;
    const other = track(world.client().election("e").campaign().next());
    for (const value of ["b", "c", "d"]) await term.proclaim(value);
    await settled();
    expect(await client.election("e").leader()).toEqual({ value: "d", token: term.token });
    expect(other.state).toBe("pending");
    await client.close();
    await settled();
    expect(other.state).toBe("resolved");
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

test("on lmdb: terms in turn, proclaimed and observed, and handed over by a close", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-election-"));
  try {
    const judge = new Judge();
    await using a = judge.follow(await connect(`lmdb:${directory}`, { ttlMs: 2000 }));
    await using b = judge.follow(await connect(`lmdb:${directory}`, { ttlMs: 2000 }));
    const stop = new AbortController();
    const seen: (string | null)[] = [];
    const observed = (async () => {
      for await (const leader of b.election("e").observe({ signal: stop.signal }))
        seen.push(leader && leader.value);
    })();
    const until = async (length: number) => {
      while (seen.length < length) await settled();
    };
    await until(1);
    const first = (await a.election("e").campaign({ value: "a" }).next()).value;
    await until(2);
    await first.proclaim("a2");
    await until(3);
    const next = b.election("e").campaign({ value: "b" }).next();
    await settled();
    await a.close();
    const second = (await next).value;
    await until(4);
    expect(first.isHeld).toBe(false);
    expect(second.token).toBeGreaterThan(first.token);
    await second.release();
    await until(5);
    expect(seen).toEqual([null, "a", "a2", "b", null]);
    stop.abort(reason);
    await expect(observed).rejects.toBe(reason);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
