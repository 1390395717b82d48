// What a caller's editor says of rates, limits, and of what is made or done once.
import {
  AtomicRef,
  immutable,
  type Immutable,
  KeyedRateLimiter,
  Lazy,
  Limiter,
  Once,
  RateLimiter,
  SingleFlight,
} from "lockstep/sync";
import { expectTypeOf, test } from "vitest";

test("a rate allows only what its algorithm understands", () => {
  new RateLimiter({ limit: 1, intervalMs: 1000 });
  new RateLimiter({ limit: 1, intervalMs: 1000, burst: 5 });
  new RateLimiter({ algorithm: "token-bucket", limit: 1, intervalMs: 1000, burst: 5 });
  new RateLimiter({ algorithm: "sliding-window", limit: 1, intervalMs: 1000 });
  // @ts-expect-error -- a sliding window has no burst
  new RateLimiter({ algorithm: "sliding-window", limit: 1, intervalMs: 1000, burst: 5 });
  // @ts-expect-error -- a fixed window lets through twice its limit
  new RateLimiter({ algorithm: "fixed-window", limit: 1, intervalMs: 1000 });
  // @ts-expect-error -- a limit in what time?
  new RateLimiter({ limit: 1 });
});

test("a rate limiter", () => {
  const limiter = new RateLimiter({ limit: 1, intervalMs: 1000 });
  expectTypeOf(limiter.tryAcquire()).toEqualTypeOf<boolean>();
  expectTypeOf(limiter.acquire({ weight: 2, timeoutMs: 5 })).toEqualTypeOf<Promise<void>>();
  expectTypeOf(limiter.peek()).toEqualTypeOf<{ readonly remaining: number; readonly retryAfterMs: number }>();
  // @ts-expect-error -- trying never waits, so there is nothing to be patient for
  limiter.tryAcquire({ timeoutMs: 5 });
  const keyed = new KeyedRateLimiter<string>({ limit: 1, intervalMs: 1000 });
  expectTypeOf(keyed.tryAcquire).parameter(0).toEqualTypeOf<string>();
  // @ts-expect-error -- whose is it?
  keyed.tryAcquire();
});

test("a limiter needs a limit, and infers what tasks give", () => {
  const limiter = new Limiter({ concurrency: 5 });
  new Limiter({ limit: 5, intervalMs: 1000 });
  new Limiter({ concurrency: 5, limit: 5, intervalMs: 1000 });
  new Limiter({ concurrency: undefined, limit: 5, intervalMs: 1000 });
  new Limiter({ concurrency: 5, limit: undefined, intervalMs: undefined });
  // @ts-expect-error -- no limit
  new Limiter({});
  // @ts-expect-error -- a limit in what time?
  new Limiter({ limit: 5 });
  // @ts-expect-error -- a limit in what time?
  new Limiter({ concurrency: 5, limit: 5 });
  expectTypeOf(limiter.run(() => 5)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(limiter.run(async () => "text")).toEqualTypeOf<Promise<string>>();
  const wrapped = limiter.wrap(async (name: string, age?: number) => name.repeat(age ?? 1));
  expectTypeOf(wrapped).parameters.toEqualTypeOf<[name: string, age?: number | undefined]>();
  expectTypeOf(wrapped).returns.toEqualTypeOf<Promise<string>>();
  expectTypeOf(limiter.map([1, 2], async (item, index) => `${item}${index}`)).toEqualTypeOf<
    Promise<string[]>
  >();
  async function* source() {
    yield 1n;
  }
  expectTypeOf(limiter.map(source(), (item) => item)).toEqualTypeOf<Promise<bigint[]>>();
  expectTypeOf(limiter.map(new Set(["a"]), (item) => item)).toEqualTypeOf<Promise<string[]>>();
  // @ts-expect-error -- its letters? [...text] says so
  void limiter.map("text", (letter) => letter);
});

test("single flight, once, lazy", () => {
  const flights = new SingleFlight<number, string>();
  expectTypeOf(flights.run(1, async (signal) => (signal.throwIfAborted(), "text"))).toEqualTypeOf<
    Promise<string>
  >();
  // @ts-expect-error -- all who share a flight expect the same
  void flights.run(1, () => 5);
  expectTypeOf(new Once().run(() => 5)).toEqualTypeOf<Promise<void>>();
  const lazy = new Lazy(async () => 5);
  expectTypeOf(lazy).toEqualTypeOf<Lazy<number>>();
  expectTypeOf(lazy.get()).toEqualTypeOf<Promise<number>>();
  expectTypeOf(lazy.value).toEqualTypeOf<number | undefined>();
});

test("a reference", () => {
  const ref = new AtomicRef<number | null>(null);
  expectTypeOf(ref.get()).toEqualTypeOf<number | null>();
  expectTypeOf(ref.update(async (n) => (n ?? 0) + 1)).toEqualTypeOf<Promise<number | null>>();
  expectTypeOf(ref.wait((n): n is number => n !== null)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(ref.compareAndSet(null, 1)).toEqualTypeOf<boolean>();
  // @ts-expect-error -- the options have no such thing
  void ref.update((n) => n, { retries: 5 });
});

test("immutable, all the way down", () => {
  const value = immutable({
    list: [{ deep: 1 }],
    pair: [1, "two"] as [number, string],
    map: new Map([["key", { n: 1 }]]),
    set: new Set([1]),
    act: (n: number) => n,
    maybe: undefined as string[] | undefined,
  });
  expectTypeOf(value.list).toEqualTypeOf<readonly { readonly deep: number }[]>();
  expectTypeOf(value.pair).toEqualTypeOf<readonly [number, string]>();
  expectTypeOf(value.map).toEqualTypeOf<ReadonlyMap<string, { readonly n: number }>>();
  expectTypeOf(value.set).toEqualTypeOf<ReadonlySet<number>>();
  expectTypeOf(value.act).toEqualTypeOf<(n: number) => number>();
  expectTypeOf(value.maybe).toEqualTypeOf<readonly string[] | undefined>();
  // @ts-expect-error -- deep inside
  value.list[0]!.deep = 2;
  expectTypeOf(value.list).not.toHaveProperty("push");
  expectTypeOf(value.map).not.toHaveProperty("set");
  expectTypeOf(value.set).not.toHaveProperty("add");
});

test("immutable: what is not plain data", () => {
  expectTypeOf<Immutable<string | null>>().toEqualTypeOf<string | null>();
  expectTypeOf<Immutable<unknown>>().toEqualTypeOf<unknown>();
  expectTypeOf<Immutable<Uint8Array>>().toEqualTypeOf<never>();
  expectTypeOf<Immutable<WeakMap<object, string>>>().toEqualTypeOf<never>();
  const date = immutable({ at: new Date(0) }).at;
  expectTypeOf(date.toISOString()).toEqualTypeOf<string>();
  expectTypeOf(date).not.toHaveProperty("setTime");
  expectTypeOf(date).not.toHaveProperty("setUTCHours");
});
