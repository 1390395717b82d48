// What a caller's editor says: the types of what tasks wait with.
import {
  Barrier,
  Condition,
  Event,
  Latch,
  Mutex,
  Notify,
  Semaphore,
  type BarrierOptions,
  type Held,
  type LockOptions,
  type Trip,
} from "lockstep/sync";
import { assertType, expectTypeOf, test } from "vitest";

declare const held: Held;
declare const mutex: Mutex;
declare const options: LockOptions;
declare const semaphore: Semaphore;
const patience = { signal: new AbortController().signal, timeoutMs: 5 };
const noPatience: { signal?: AbortSignal | undefined; timeoutMs?: number | undefined } = {};

test("what is held", () => {
  expectTypeOf(held.isHeld).toEqualTypeOf<boolean>();
  expectTypeOf(held.release).returns.toBeVoid();
  assertType<Disposable>(held);
  // @ts-expect-error -- it is given, not said
  held.isHeld = true;
});

test("a mutex", () => {
  expectTypeOf(mutex.acquire(patience)).resolves.toEqualTypeOf<Held>();
  expectTypeOf(mutex.acquire(noPatience)).resolves.toEqualTypeOf<Held>();
  expectTypeOf(mutex.tryAcquire()).toEqualTypeOf<Held | null>();
  expectTypeOf(mutex.run(async () => 5)).resolves.toEqualTypeOf<number>();
  expectTypeOf(mutex.run(() => "a", patience)).resolves.toEqualTypeOf<string>();
  expectTypeOf(mutex.run).parameter(0).parameters.toEqualTypeOf<[held: Held]>();
  expectTypeOf(Mutex).toBeConstructibleWith({ name: "door" });
  // @ts-expect-error -- trying never waits, so there is nothing to be patient for
  void mutex.tryAcquire({ timeoutMs: 5 });
  // @ts-expect-error -- it is called timeoutMs
  void mutex.acquire({ timeout: 5 });
});

test("a semaphore", () => {
  expectTypeOf(semaphore.acquire({ weight: 2, ...patience })).resolves.toEqualTypeOf<Held>();
  expectTypeOf(semaphore.tryAcquire({ weight: 2 })).toEqualTypeOf<Held | null>();
  expectTypeOf(semaphore.run(() => 5, { weight: 2 })).resolves.toEqualTypeOf<number>();
  expectTypeOf(semaphore.resize).parameters.toEqualTypeOf<[permits: number]>();
  // @ts-expect-error -- trying never waits
  void semaphore.tryAcquire({ weight: 2, timeoutMs: 5 });
  // @ts-expect-error -- how many there are must be said
  new Semaphore();
  // @ts-expect-error -- changed by resize
  semaphore.permits = 5;
});

test("a condition", () => {
  const condition = new Condition(mutex, { name: "jobs" });
  expectTypeOf(condition.wait(held, patience)).resolves.toBeVoid();
  expectTypeOf(condition.waitUntil(held, () => true, patience)).resolves.toBeVoid();
  // @ts-expect-error -- the mutex must be held
  void condition.wait();
  // @ts-expect-error -- a promise would always be true
  void condition.waitUntil(held, async () => true);
  // Not one of a semaphore, which many may hold.
  expectTypeOf<ConstructorParameters<typeof Condition>[0]>().toEqualTypeOf<Mutex>();
});

test("an event, a notification and a latch", () => {
  expectTypeOf(new Event().wait(patience)).resolves.toBeVoid();
  expectTypeOf(new Event().isSet).toEqualTypeOf<boolean>();
  expectTypeOf(new Notify().wait(patience)).resolves.toBeVoid();
  expectTypeOf(new Latch(2).wait(patience)).resolves.toBeVoid();
  expectTypeOf(Latch).toBeConstructibleWith(2, options);
  expectTypeOf(new Latch(2).countDown).parameter(0).toEqualTypeOf<number | undefined>();
  // @ts-expect-error -- it is set, not assigned
  new Event().isSet = true;
});

test("a barrier", () => {
  const barrier = new Barrier(2, { action: async (generation) => assertType<number>(generation) });
  expectTypeOf(barrier.wait(patience)).resolves.toEqualTypeOf<Trip>();
  expectTypeOf<Trip>().toEqualTypeOf<{ readonly generation: number; readonly isLeader: boolean }>();
  expectTypeOf(barrier.arrive().wait(patience)).resolves.toBeVoid();
  expectTypeOf(barrier.arriveAndDeregister().generation).toEqualTypeOf<number>();
  expectTypeOf(barrier.register(2)).toEqualTypeOf<number>();
  assertType<BarrierOptions>({ action: undefined, name: undefined, clock: undefined });
  // @ts-expect-error -- parties register, they are not set
  barrier.parties = 3;
});
