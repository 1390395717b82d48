import fc from "fast-check";
import { isLockstepError, ManualClock } from "lockstep/base";
import { Pool, type Lease, type PoolHook } from "lockstep/sync";
import { expect, test } from "vitest";
import { settled } from "./outcome.js";
import { PoolModel, saysNo, type Manner, type Setting } from "./pool-model.js";

type Step =
  | { readonly kind: "acquire"; readonly timeoutMs: number | undefined }
  | { readonly kind: "tryAcquire" | "abort" | "close"; readonly which: number }
  | { readonly kind: "release" | "discard"; readonly which: number }
  | { readonly kind: "end"; readonly which: number; readonly isWell: boolean }
  | { readonly kind: "pass"; readonly ms: number };

const which = fc.nat(11);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const timeoutMs = fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined });
const step = fc.oneof(
  weighted(16, fc.record({ kind: fc.constant("acquire"), timeoutMs })),
  weighted(12, fc.record({ kind: fc.constant("end"), which, isWell: fc.boolean() })),
  weighted(10, fc.record({ kind: fc.constantFrom("release", "release", "discard"), which })),
  weighted(6, fc.record({ kind: fc.constantFrom("abort", "tryAcquire"), which })),
  weighted(6, fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 1, max: 60 }) })),
  weighted(1, fc.record({ kind: fc.constant("close"), which })),
);

const manner = (...manners: Manner[]) => fc.constantFrom(...manners);
const setting: fc.Arbitrary<Setting> = fc
  .record({
    min: fc.nat(2),
    more: fc.integer({ min: 0, max: 2 }),
    idleTimeoutMs: fc.constantFrom(undefined, 25.01),
    manners: fc.record({
      make: manner("at once", "later"),
      check: manner("absent", "at once", "later"),
      recycle: manner("absent", "at once", "later"),
      destroy: manner("absent", "at once", "later"),
    }),
    heedsSignal: fc.boolean(),
    fates: fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
  })
  .map(({ min, more, fates, ...rest }) => ({
    ...rest,
    min,
    max: Math.max(1, min + more),
    hookTimeoutMs: 40.0007,
    goesWell: (hook, number) => fates[(number * 4 + hook.length) % fates.length]!,
  }));

interface Resource {
  readonly id: number;
}

/** A hook that is running until it is told how it ends. */
interface Running {
  readonly hook: PoolHook;
  readonly id: number;
  readonly end: (isWell: boolean) => void;
}

/** A pool, and all that can be seen of it from outside. */
class World {
  readonly clock = new ManualClock();
  readonly outcomes = new Map<number, string>();
  readonly leases: Lease<Resource>[] = [];
  readonly destroyed: number[] = [];
  readonly reports: string[] = [];
  readonly aborts = new Map<number, AbortController>();
  readonly pool: Pool<Resource>;
  running: Running[] = [];
  closed: Promise<void> | undefined;
  isGone = false;
  #made = 0;
  #asked = 0;
  readonly #setting: Setting;

  constructor(setting: Setting) {
    const { manners, min, max, idleTimeoutMs, hookTimeoutMs } = setting;
    this.#setting = setting;
    const hook = (name: PoolHook) =>
      manners[name] === "absent" ? undefined : ({ id }: Resource) => this.#call(name, id, true, false);
    const { clock } = this;
    this.pool = new Pool<Resource>({
      ...{ min, max, idleTimeoutMs, hookTimeoutMs, clock },
      make: (signal) => this.#make(signal),
      check: hook("check"),
      recycle: hook("recycle"),
      destroy: (resource) => {
        this.destroyed.push(resource.id);
        return hook("destroy")?.(resource);
      },
      onError: (error, name) => {
        expect(["make", "check", "recycle", "destroy"]).toContain(name);
        this.reports.push(reasonOf(error));
      },
    });
  }

  acquire(timeoutMs: number | undefined): number {
    const number = this.#asked++;
    const abort = new AbortController();
    this.aborts.set(number, abort);
    this.pool.acquire({ timeoutMs, signal: abort.signal }).then(
      (lease) => this.#granted(number, lease),
      (error: unknown) => this.outcomes.set(number, reasonOf(error)),
    );
    return number;
  }

  tryAcquire(): number {
    const number = this.#asked++;
    try {
      const lease = this.pool.tryAcquire();
      if (lease === null) this.outcomes.set(number, "null");
      else this.#granted(number, lease);
    } catch (error) {
      this.outcomes.set(number, reasonOf(error));
    }
    return number;
  }

  #granted(number: number, lease: Lease<Resource>): void {
    this.outcomes.set(number, `resource ${lease.resource.id}`);
    this.leases.push(lease);
  }

  #make(signal: AbortSignal): Resource | Promise<Resource> {
    const resource = { id: this.#made++ };
    const made = this.#call("make", resource.id, resource);
    if (!(made instanceof Promise) || !this.#setting.heedsSignal) return made;
    return new Promise((resolve, reject) => {
      made.then(resolve, reject);
      signal.addEventListener("abort", () => {
        this.running = this.running.filter(({ hook, id }) => hook !== "make" || id !== resource.id);
        reject(signal.reason);
      });
    });
  }

  #call<R>(hook: PoolHook, id: number, result: R, no = result): R | Promise<R> {
    const error = new Error(`${hook} ${id}`);
    if (this.#setting.manners[hook] === "at once") {
      if (this.#setting.goesWell(hook, id)) return result;
      if (saysNo(hook, id)) return no;
      throw error;
    }
    return new Promise((resolve, reject) => {
      const end = (isWell: boolean) => {
        this.running = this.running.filter((other) => other !== running);
        if (isWell) resolve(result);
        else if (saysNo(hook, id)) resolve(no);
        else reject(error);
      };
      const running = { hook, id, end };
      this.running.push(running);
    });
  }
}

function reasonOf(error: unknown): string {
  if (isLockstepError(error)) return error.code;
  return error instanceof Error ? error.message : String(error);
}

/** Timeouts that never fall on the same moment as another: who comes first then is nobody's business. */
const ofItsOwn = (timeoutMs: number | undefined, number: number) =>
  timeoutMs === undefined || timeoutMs === 0 ? timeoutMs : timeoutMs + 0.1 + number * 0.001;

async function take(world: World, model: PoolModel, next: Step, number: number): Promise<void> {
  switch (next.kind) {
    case "acquire": {
      const timeoutMs = ofItsOwn(next.timeoutMs, number);
      model.acquire(world.acquire(timeoutMs), timeoutMs);
      return;
    }
    case "tryAcquire":
      model.tryAcquire(world.tryAcquire());
      return;
    case "abort": {
      const waiter = [...world.aborts.keys()].at(-1 - next.which);
      if (waiter === undefined) return;
      world.aborts.get(waiter)!.abort("aborted");
      model.giveUp(waiter, "aborted");
      return;
    }
    case "release":
    case "discard": {
      const [lease] = world.leases.splice(next.which % world.leases.length, 1);
      if (lease === undefined) return;
      const { id } = lease.resource;
      const { kind } = next;
      lease[kind]();
      expect(() => lease.resource).toThrow("given back");
      expect(() => lease[kind]()).toThrow("before");
      model[kind](id);
      return;
    }
    case "end": {
      const at = next.which % world.running.length;
      const running = world.running[at];
      if (running === undefined) return;
      const run = model.runs.find(({ hook, id }) => hook === running.hook && id === running.id)!;
      running.end(next.isWell);
      model.end(run, next.isWell);
      return;
    }
    case "pass":
      model.passTime(next.ms);
      await world.clock.advance(next.ms);
      return;
    case "close":
      if (model.isClosed) return;
      model.close();
      world.closed = world.pool.close();
      void world.closed.then(() => (world.isGone = true));
      return;
  }
}

function compare(world: World, model: PoolModel): void {
  const { pool } = world;
  const sorted = (list: Iterable<string>) => [...list].sort();
  const seen = {
    counts: [pool.size, pool.idle, pool.lent, pool.waiting],
    outcomes: Object.fromEntries(world.outcomes),
    lent: sorted(world.leases.map(({ resource }) => String(resource.id))),
    running: sorted(world.running.map(({ hook, id }) => `${hook} ${id}`)),
    destroyed: sorted(world.destroyed.map(String)),
    reports: sorted(world.reports),
    isGone: world.isGone,
  };
  expect(seen).toEqual({
    counts: [model.size, model.shelf.length, model.lent.size, model.line.length],
    outcomes: Object.fromEntries(model.outcomes),
    lent: sorted([...model.lent].map(String)),
    running: sorted(model.runs.map(({ hook, id }) => `${hook} ${id}`)),
    destroyed: sorted(model.destroyed.map(String)),
    reports: sorted(model.reports),
    isGone: model.isGone,
  });
}

/** What holds whatever the model says. */
function checkInvariants({ pool, leases, destroyed }: World, { max }: Setting): void {
  const lent = leases.map(({ resource }) => resource.id);
  expect(pool.size).toBeLessThanOrEqual(max);
  expect(pool.lent + pool.idle).toBeLessThanOrEqual(pool.size);
  expect(pool.lent).toBe(lent.length);
  expect(new Set(lent).size).toBe(lent.length);
  expect(new Set(destroyed).size).toBe(destroyed.length);
  expect(destroyed.filter((id) => lent.includes(id))).toEqual([]);
  // Nobody waits for nothing: there is a place free only if something is on its way for each.
  const coming = pool.size - pool.lent - pool.idle;
  if (pool.waiting > coming) expect([pool.idle, pool.size]).toEqual([0, max]);
}

/** However it was left, all comes back in the end, and nothing is left over. */
async function finish(world: World, model: PoolModel): Promise<void> {
  await take(world, model, { kind: "close", which: 0 }, 0);
  await settled();
  for (const lease of world.leases.splice(0)) {
    model.release(lease.resource.id);
    lease.release();
    await settled();
  }
  while (world.running.length > 0) {
    await take(world, model, { kind: "end", which: 0, isWell: true }, 0);
    await settled();
  }
  compare(world, model);
  expect(world.isGone).toBe(true);
  const { pool } = world;
  expect([pool.size, pool.idle, pool.lent, pool.waiting]).toEqual([0, 0, 0, 0]);
}

test("a pool does as the model does", { timeout: 60_000 }, async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 40, size: "max" });
  const property = fc.asyncProperty(setting, steps, async (how, all) => {
    const world = new World(how);
    const model = new PoolModel(how);
    await settled();
    for (const [number, next] of all.entries()) {
      await take(world, model, next, number);
      await settled();
      compare(world, model);
      checkInvariants(world, how);
    }
    await finish(world, model);
  });
  await fc.assert(property, { numRuns: Number(process.env["POOL_RUNS"] ?? 500) });
});
