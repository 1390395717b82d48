// Locks behind a bad network: whatever is lost, late or made twice, nobody overlaps, and once the network is
// sound again everyone who did not give up is served and nothing is left behind.
import type { Held, Lock, Lockstep } from "lockstep";
import { isLockstepError, SeededRandom } from "lockstep/base";
import { FaultyStore, type Faults } from "lockstep/simulation";
import type { Store } from "lockstep/store";
import { expect } from "vitest";
import { doubtful, track } from "../world.js";
import type { Check, Setting } from "./setting.js";

const names = ["x", "y"];
/** What a bad network may make of a call, besides the patience that ran out. */
const excused = ["unavailable", "unknown-outcome", "timeout", "lost"];

/** A store behind a network, and how to make that sound. */
export type Network = (store: Store, setting: Setting, random: SeededRandom) => [Store, heal: () => void];

export function faulty(faults: Omit<Faults, "seed" | "clock">): Network {
  return (inner, { clock }, random) => {
    const store = new FaultyStore(inner, { ...faults, seed: random.below(2 ** 31), clock });
    const heal = () => {
      store.heal();
    };
    return [store, heal];
  };
}

/** One that makes changes it had given up for lost, later. */
export function late(lateMs: number): Network {
  return (inner, { clock }, random) => {
    const { store, heal } = doubtful(inner, clock, random, 0.3, lateMs);
    return [store, heal];
  };
}

/** What the sections write to: it refuses a token that is lower than one it has seen. */
class Register {
  token = 0n;
  holder: Held | undefined;

  enter(held: Held): void {
    // Nobody who is surely in, by the common clock, has company.
    if (this.holder?.isHeld) throw new Error(`overlap: ${this.holder.token} and ${held.token}`);
    if (held.token <= this.token) throw new Error(`the token fell from ${this.token} to ${held.token}`);
    this.token = held.token;
    this.holder = held;
  }

  leave(held: Held): void {
    if (held.isHeld && this.holder !== held) throw new Error(`${held.token} was overtaken while held`);
    if (this.holder === held) this.holder = undefined;
  }
}

export interface Expectations {
  /** Whether keys may be left that only their client's end removes. */
  readonly mayBlock?: boolean;
}

/** Sixteen tasks of a few clients take two locks, under a network that is bad for a while. */
export async function playLocks(
  setting: Setting,
  seed: number,
  network: Network,
  { mayBlock = false }: Expectations = {},
): Promise<void> {
  const random = new SeededRandom(seed);
  const { clients, heal } = await clientsBehind(network, setting, random);
  const registers = new Map(names.map((name) => [name, new Register()]));
  const play = Array.from({ length: 16 }, async (_, index) => {
    const lock = clients[index % clients.length]!.lock(names[index % names.length]!);
    await takePart(setting, lock, registers.get(lock.name)!, random);
  });
  const tasks = track(Promise.all(play));
  const badUntil = setting.clock.now() + setting.shortMs;
  await setting.until("that, or enough", () => tasks.state !== "pending" || setting.clock.now() > badUntil);
  heal();
  if (mayBlock) await setting.pass(2 * setting.shortMs);
  else await setting.until("all are served, or gave up", () => tasks.state !== "pending");
  if (tasks.state === "rejected") throw tasks.error;

  // What a lost session or a lost delete left behind goes with the session.
  if (!mayBlock) await setting.untilInLine(0);
  for (const client of mayBlock ? [] : clients) await takeBoth(setting, client, registers);
  for (const client of clients) await setting.over(client.close());
  await takeBoth(setting, await setting.client(), registers);
  const { entries, sessions } = await setting.store.read({ prefix: "", sessions: true });
  // That of the last one, who knows no bad network.
  expect([entries, sessions?.length]).toEqual([[], 1]);
}

async function clientsBehind(network: Network, setting: Setting, random: SeededRandom) {
  const heals: (() => void)[] = [];
  const wrap = (inner: Store) => {
    const [store, heal] = network(inner, setting, random);
    heals.push(heal);
    return store;
  };
  const clients: Lockstep[] = [];
  for (let i = random.below(4); i >= 0; i--)
    clients.push(await setting.client({ wrap, ttlMs: setting.shortMs }));
  const heal = () => {
    for (const one of heals) one();
  };
  return { clients, heal };
}

/** Takes the lock once, or gives up; what is owed to the network is tried again. */
async function takePart(setting: Setting, lock: Lock, register: Register, random: SeededRandom) {
  const { shortMs } = setting;
  const section = async (held: Held) => {
    register.enter(held);
    await setting.pass(random.below(random.chance(0.05) ? shortMs * 1.2 : 20));
    register.leave(held);
  };
  const attempt = async () => {
    if (!random.chance(0.1)) return lock.run(section, { timeoutMs });
    const held = await lock.tryAcquire();
    if (held) await section(held);
    await held?.[Symbol.asyncDispose]();
  };
  const timeoutMs = random.chance(0.3) ? random.below(shortMs / 2) : undefined;
  await setting.pass(random.below(shortMs / 5));
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!isLockstepError(error) || !excused.includes(error.code)) throw error;
      // Who gave up stays away; the others try again.
      if (error.code === "timeout" || error.code === "lost") return;
      await setting.pass(random.below(50));
    }
  }
}

/** They are free, and their registers take what is written. */
async function takeBoth(setting: Setting, client: Lockstep, registers: Map<string, Register>) {
  for (const [name, register] of registers) {
    const held = await setting.over(client.lock(name).acquire({ timeoutMs: 5000 }));
    register.enter(held);
    await setting.over(held.release());
    register.leave(held);
  }
}

export function badNetwork(check: Check): void {
  const networks: Record<string, Network> = {
    "that is slow": faulty({ delayMs: 20 }),
    "that loses requests and replies": faulty({ loseRequest: 0.15, loseReply: 0.15, delayMs: 5 }),
    "that makes changes it had given up for lost, later": late(500),
  };
  for (const [which, network] of Object.entries(networks)) {
    check(which, (setting) => playLocks(setting, 1, network));
  }
}
