import { Lockstep } from "lockstep";
import type { Clock } from "lockstep/base";
import type { Store } from "lockstep/store";
import { describe, expect, test } from "vitest";
import { Judge } from "../judge.js";

/** What the suite runs on: new and empty data of an engine, and the time that its clients live by. */
export interface Ground {
  readonly clock: Clock;
  connect(clock: Clock): Promise<Store>;
  /** Lets time go by: in real time, or by moving a manual clock on. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface ClientOptions {
  /** What the client's sessions live for: long enough for any test, unless said. */
  readonly ttlMs?: number;
  readonly clock?: Clock;
  readonly wrap?: (store: Store) => Store;
}

/** Longer than any test freezes or waits, and no longer than every engine allows. */
const longMs = 20_000;
/** No engine is so slow, whatever else the machine has to do. */
const mostPatienceMs = 18_000;
const lookEveryMs = 5;

/** What one test is given. Whatever it is about, its clients must keep what the recipes promise. */
export class Setting {
  /** What is to expire is given no longer to live than the engine asks for. */
  readonly shortMs: number;
  readonly clock: Clock;
  readonly pass: (ms: number) => Promise<void>;
  /** Sees everything as it is, whatever becomes of the clients. */
  readonly store: Store;
  readonly #ground: Ground;
  readonly #judge = new Judge();
  readonly #clients: Lockstep[] = [];

  private constructor(ground: Ground, store: Store) {
    this.#ground = ground;
    this.store = store;
    this.clock = ground.clock;
    this.pass = (ms) => ground.pass(ms);
    this.shortMs = Math.max(1000, store.guarantees.ttl.minMs);
  }

  static async on(ground: Ground): Promise<Setting> {
    return new Setting(ground, await ground.connect(ground.clock));
  }

  async client(options: ClientOptions = {}): Promise<Lockstep> {
    const { ttlMs = longMs, clock = this.clock, wrap } = options;
    const inner = await this.#ground.connect(clock);
    const store = wrap ? wrap(inner) : inner;
    const client = this.#judge.follow(new Lockstep(store, { clock, ttlMs }));
    this.#clients.push(client);
    return client;
  }

  async clients(count: number): Promise<Lockstep[]> {
    return Promise.all(Array.from({ length: count }, () => this.client()));
  }

  /** The keys that are there now, the oldest first. */
  async keys(prefix: string): Promise<string[]> {
    const { entries } = await this.store.read({ prefix, order: "created" });
    return entries.map((entry) => entry.key);
  }

  /** Lets time go by until it is so. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const from = this.clock.now();
    while (!(await isSo())) {
      if (this.clock.now() - from > mostPatienceMs) expect.fail(`never came to pass: ${what}`);
      await this.pass(lookEveryMs);
    }
  }

  /** Lets time go by until so many are in line, holders included. */
  async untilInLine(count: number, prefix = "lock/"): Promise<void> {
    await this.until(`${count} in line`, async () => (await this.keys(prefix)).length === count);
  }

  /** Lets time go by until the call is over. */
  async over<T>(call: Promise<T>): Promise<T> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    call.then(end, end);
    await this.until("the end of a call", () => isOver);
    return call;
  }

  async end(): Promise<void> {
    const closed = Promise.allSettled([...this.#clients, this.store].map((client) => client.close()));
    await this.over(closed);
    await this.#ground.dispose();
  }
}

/** Declares one test of the suite. */
export type Check = (name: string, body: (setting: Setting) => Promise<void>) => void;

/** New ground, and its end. */
export async function inSetting(
  open: () => Promise<Ground>,
  body: (setting: Setting) => Promise<void>,
): Promise<void> {
  const setting = await Setting.on(await open());
  try {
    await body(setting);
  } finally {
    await setting.end();
  }
}

/** Declares the tests of a theme, each on ground of its own. */
export function onGround(open: () => Promise<Ground>, title: string, theme: (check: Check) => void): void {
  describe(title, () => {
    theme((name, body) => {
      test(name, { timeout: 60_000 }, () => inSetting(open, body));
    });
  });
}
