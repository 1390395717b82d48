// What a caller's editor says: the types of the public surface.
import {
  connect,
  type Census,
  type Held,
  type KeyValueChange,
  type KeyValueEntry,
  type KeyValueVerdict,
  type Leader,
  type Lock,
  type Lockstep,
  isLockstepError,
  type LockstepError,
  type LockstepErrorCode,
  type Term,
} from "lockstep";
import { assertType, expectTypeOf, test } from "vitest";

declare const ls: Lockstep;
declare const lock: Lock;
declare const held: Held;
declare const term: Term;
declare const error: unknown;

test("connect", () => {
  expectTypeOf(connect).returns.resolves.toEqualTypeOf<Lockstep>();
  expectTypeOf(connect).parameter(0).toEqualTypeOf<string>();
  // @ts-expect-error -- an option that nobody knows
  void connect("memory:", { ttl: 5 });
});

test("a lock", () => {
  expectTypeOf(ls.lock("x")).toEqualTypeOf<Lock>();
  expectTypeOf(lock.acquire()).resolves.toEqualTypeOf<Held>();
  expectTypeOf(
    lock.acquire({ signal: new AbortController().signal, timeoutMs: 5 }),
  ).resolves.toEqualTypeOf<Held>();
  expectTypeOf(lock.tryAcquire()).resolves.toEqualTypeOf<Held | null>();
  // @ts-expect-error -- trying never waits, so there is nothing to be patient for
  void lock.tryAcquire({ timeoutMs: 5 });
  // @ts-expect-error -- a number of milliseconds
  void lock.acquire({ timeoutMs: "5" });
});

test("what is held", () => {
  expectTypeOf(held.token).toEqualTypeOf<bigint>();
  expectTypeOf(held.signal).toEqualTypeOf<AbortSignal>();
  expectTypeOf(held.isHeld).toEqualTypeOf<boolean>();
  expectTypeOf(held.assertHeld).returns.toBeVoid();
  expectTypeOf(held.release()).toEqualTypeOf<Promise<void>>();
  assertType<AsyncDisposable>(held);
  assertType<AsyncDisposable>(ls);
  // @ts-expect-error -- a guard must be awaited when disposed of
  assertType<Disposable>(held);
  // @ts-expect-error -- a token is given, not made
  held.token = 1n;
  // @ts-expect-error -- a token is no number
  assertType<number>(held.token);
});

test("run infers what the section returns, now or later", () => {
  expectTypeOf(lock.run(() => 5)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(lock.run(async () => "text")).toEqualTypeOf<Promise<string>>();
  expectTypeOf(lock.run(() => undefined)).toEqualTypeOf<Promise<undefined>>();
  expectTypeOf(lock.run((guard) => guard.token)).toEqualTypeOf<Promise<bigint>>();
});

test("an election", async () => {
  const election = ls.election("e");
  for await (const won of election.campaign({ value: "here" })) {
    expectTypeOf(won).toEqualTypeOf<Term>();
    break;
  }
  for await (const leader of election.observe()) {
    expectTypeOf(leader).toEqualTypeOf<Leader | null>();
    break;
  }
  expectTypeOf(election.leader()).resolves.toEqualTypeOf<Leader | null>();
  expectTypeOf<Leader>().toEqualTypeOf<{ readonly value: string; readonly token: bigint }>();
  expectTypeOf(term).toExtend<Held>();
  expectTypeOf(term.proclaim("x")).toEqualTypeOf<Promise<void>>();
});

test("a verdict of kv narrows by ok", async () => {
  const verdict = await ls.kv.put("a", "1", { ifRevision: 0n });
  expectTypeOf(verdict).toEqualTypeOf<KeyValueVerdict>();
  if (verdict.ok) {
    expectTypeOf(verdict.revision).toEqualTypeOf<bigint>();
    // @ts-expect-error -- nothing stood in the way
    assertType<unknown>(verdict.current);
  } else {
    expectTypeOf(verdict.current).toEqualTypeOf<KeyValueEntry | null>();
    // @ts-expect-error -- nothing was written
    assertType<unknown>(verdict.revision);
  }
  expectTypeOf(ls.kv.delete("a")).resolves.toEqualTypeOf<KeyValueVerdict>();
  // @ts-expect-error -- a revision is no number
  void ls.kv.put("a", "1", { ifRevision: 5 });
  // @ts-expect-error -- a value is text or bytes
  void ls.kv.put("a", { json: true });
});

test("kv", async () => {
  expectTypeOf(ls.kv.get("a")).resolves.toEqualTypeOf<KeyValueEntry | null>();
  expectTypeOf(ls.kv.list("a")).resolves.toEqualTypeOf<KeyValueEntry[]>();
  for await (const change of ls.kv.watch("a")) {
    expectTypeOf(change).toEqualTypeOf<KeyValueChange>();
    expectTypeOf(change.revision).toEqualTypeOf<bigint>();
    if (change.kind === "resync") expectTypeOf(change.entries).toEqualTypeOf<readonly KeyValueEntry[]>();
    if (change.kind === "put") expectTypeOf(change.entry).toEqualTypeOf<KeyValueEntry>();
    if (change.kind === "delete") expectTypeOf(change.key).toEqualTypeOf<string>();
  }
});

test("the rest", () => {
  expectTypeOf(ls.census()).resolves.toEqualTypeOf<Census>();
  expectTypeOf(ls.close()).toEqualTypeOf<Promise<void>>();
  if (isLockstepError(error)) {
    expectTypeOf(error).toEqualTypeOf<LockstepError>();
    expectTypeOf(error.code).toEqualTypeOf<LockstepErrorCode>();
    expectTypeOf(error.applied).toEqualTypeOf<"no" | "maybe">();
  }
  // @ts-expect-error -- no such code
  isLockstepError(error, "timed-out");
});
