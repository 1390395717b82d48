// Days on which servers stop, die, lose touch with each other, or come back.
import { isLockstepError } from "lockstep/base";
import { expect } from "vitest";
import type { Day } from "./day.js";
import type { Party } from "./party.js";
import type { World } from "./world.js";

export const primaryLost: Day = {
  number: 17,
  title: "the primary dies with a lock that no other server has heard of",
  needs: "cluster",
  limit: ({ failoverLosesCommits }) => (failoverLosesCommits ? "failoverLosesCommits" : undefined),
  async play(world) {
    const cluster = await world.cluster();
    const loses = world.guarantees.failoverLosesCommits;
    // Long enough for another to take over.
    const ttlMs = (loses ? 10 : 4) * world.ttlMs;
    const where = loses ? cluster.leaderAddress : cluster.address;
    const address = where(world.namespace);
    const onlooker = await world.client({ address });
    await onlooker.kv.put("before", "known to all");
    await world.pause(500);
    await cluster.stopReplication?.();
    const keeper = await world.party("keeper", { address, ttlMs });
    await keeper.acquire();
    expect(keeper.write()).toBe(true);
    await cluster.killLeader();
    const taker = await world.party("taker", { address: cluster.address(world.namespace), ttlMs });
    const taken = taker.acquire();
    if (!loses) {
      // It is still there, and is kept alive through another server: for longer than it would be by itself.
      await world.pause(1.25 * ttlMs);
      expect(await keeper.isHeld()).toBe(true);
      await keeper.release();
    }
    await taken;
    expect(await taker.isHeld()).toBe(true);
    expect(taker.write()).toBe(true);
    if (!loses) return;
    await keeper.believes();
    expect(keeper.write()).toBe(false);
  },
};

export const leaderIsolated: Day = {
  number: 18,
  title: "the leader is cut off from the majority, with a holder on its side",
  needs: "quorum",
  async play(world) {
    const cluster = await world.cluster();
    const holder = await world.party("holder", { address: cluster.leaderAddress(world.namespace) });
    const successor = await world.party("successor", { address: cluster.address(world.namespace) });
    await holder.acquire();
    expect(holder.write()).toBe(true);
    const granted = successor.acquire();
    await cluster.isolateLeader?.();
    await world.until(async () => !(await holder.isHeld()));
    await granted;
    expect(successor.write()).toBe(true);
    expect(holder.write()).toBe(false);
    await cluster.heal();
    expect(await successor.isHeld()).toBe(true);
  },
};

export const serverStalled: Day = {
  number: 20,
  title: "the server, or the leader of several, stands still for longer than the TTL",
  needs: "server",
  alone: true,
  async play(world) {
    const leader = await world.leader();
    const address = leader.address(world.namespace);
    const [holder, successor] = [
      await world.party("holder", { address }),
      await world.party("successor", { address }),
    ];
    await holder.acquire();
    const granted = successor.acquire();
    await world.pause(200);
    leader.freezeLeader();
    const frozenAt = Date.now();
    // Whether it loses the lock or keeps it by another server, it is never held twice.
    await world.until(async () => !(await holder.isHeld()) || Date.now() > frozenAt + 2 * world.ttlMs);
    await world.pause(world.ttlMs);
    leader.thawLeader();
    if (await holder.isHeld()) await released(holder);
    await granted;
    expect(await successor.isHeld()).toBe(true);
    expect(await holder.isHeld()).toBe(false);
  },
};

export const restartUnderLoad: Day = {
  number: 22,
  title: "the server is killed under load, and comes back",
  needs: "server",
  alone: true,
  limit: ({ failoverLosesCommits }) => (failoverLosesCommits ? "failoverLosesCommits" : undefined),
  async play(world) {
    const loses = world.guarantees.failoverLosesCommits;
    const { proxy, address } = await world.proxy();
    // A server that has lost the session does not say so to a client that it does not reach.
    const keeper = await world.party("keeper", { address, ttlMs: (loses ? 10 : 1) * world.ttlMs });
    const taker = await world.party("taker");
    await keeper.acquire("kept");
    expect(keeper.write("kept")).toBe(true);
    const crew = await Promise.all([1, 2, 3].map((number) => world.party(`worker ${number}`)));
    const load = new Load(world, crew);
    await world.until(() => load.sections > 10);
    proxy.hold();
    world.server.kill("SIGKILL");
    await world.server.restart();
    await taker.acquire("kept");
    await keeper.believes("kept");
    expect(taker.write("kept")).toBe(true);
    expect(keeper.write("kept")).toBe(false);
    const before = load.sections;
    await world.until(() => load.sections > before + 10);
    await load.end();
  },
};

/** Some who take a lock one after the other, and write to what it protects. */
class Load {
  sections = 0;
  readonly #world: World;
  readonly #work: Promise<unknown>;
  #over = false;

  constructor(world: World, crew: readonly Party[]) {
    this.#world = world;
    this.#work = Promise.all(crew.map((party) => this.#labour(party)));
    this.#work.catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#work;
  }

  async #labour(party: Party): Promise<void> {
    while (!this.#over) {
      await party.acquire();
      // A holder that was granted it after others had been must be let in by the fence.
      if (await party.isHeld()) this.sections += party.write() ? 1 : 0;
      await released(party);
      await this.#world.pause(5);
    }
  }
}

/** Released, or lost before that. */
async function released(party: Party): Promise<void> {
  try {
    await party.release();
  } catch (error) {
    if (!isLockstepError(error, "lost")) throw error;
  }
}
