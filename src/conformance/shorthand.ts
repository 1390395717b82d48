import assert from "node:assert/strict";
import { systemClock } from "../base/clock.js";
import { isLockstepError, type LockstepErrorCode } from "../base/errors.js";
import type {
  Change,
  Committed,
  Condition,
  Entry,
  Query,
  Refused,
  Revision,
  Snapshot,
  Write,
} from "../store/change.js";
import type { Store } from "../store/store.js";
import type { Setting } from "./fixture.js";

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(entry: Entry | undefined): string | undefined {
  return entry && new TextDecoder().decode(entry.value);
}

export function put(key: string, value: string | Uint8Array = key, session?: string): Write {
  return { kind: "put", key, value: typeof value === "string" ? bytes(value) : value, session };
}

export function remove(key: string): Write {
  return { kind: "delete", key };
}

export const absent = (key: string): Condition => ({ kind: "absent", key });
export const created = (key: string, revision: Revision): Condition => ({ kind: "created", key, revision });
export const modified = (key: string, revision: Revision): Condition => ({ kind: "modified", key, revision });
export const alive = (session: string): Condition => ({ kind: "alive", session });

/** Makes a change that must be made. */
export async function made(store: Store, change: Change): Promise<Committed> {
  const verdict = await store.commit(change);
  if (!verdict.ok)
    assert.fail(`refused, since this did not hold: ${JSON.stringify(verdict.failed, withBigints)}`);
  return verdict;
}

/** Tries a change that must be refused. */
export async function refused(store: Store, change: Change): Promise<Refused> {
  const verdict = await store.commit(change);
  if (verdict.ok) assert.fail("committed, though a condition did not hold");
  return verdict;
}

export async function entryOf(store: Store, key: string): Promise<Entry | undefined> {
  const { entries } = await store.read({ key });
  assert.ok(entries.length <= 1, "one key has one entry");
  return entries[0];
}

/** Nothing was changed since the store was at `before`. */
export function assertSameRevision(store: Store, now: Revision, before: Revision): void {
  if (store.guarantees.revisions === "own") assert.equal(now, before);
  else assert.ok(now >= before, `${now} came after ${before}`);
}

/** Two looks at a store in which nothing was changed between them. */
export function assertSameSnapshot(store: Store, now: Snapshot, before: Snapshot): void {
  assert.deepEqual(now.entries, before.entries);
  assertSameRevision(store, now.revision, before.revision);
}

export async function keysOf(store: Store, query: Query): Promise<string[]> {
  return (await store.read(query)).entries.map((entry) => entry.key);
}

/** An entry in a form in which two of them can be compared, whatever kind of array holds the value. */
export function plain({ key, value, created, modified, session }: Entry): object {
  return { key, value: Buffer.from(value).toString("latin1"), created, modified, session };
}

/** The call must fail so, whether it throws at once or later. */
export async function failsWith(code: LockstepErrorCode, call: () => Promise<unknown>): Promise<void> {
  let outcome: unknown;
  try {
    outcome = await call();
  } catch (error) {
    if (!isLockstepError(error)) throw error;
    assert.equal(error.code, code, error.message);
    return;
  }
  assert.fail(`expected '${code}', but the call gave ${JSON.stringify(outcome, withBigints)}`);
}

/** The nearest time to live that the engine takes. */
export function ttlNear(store: Store, ms: number): number {
  const { minMs, maxMs } = store.guarantees.ttl;
  return Math.min(Math.max(ms, minMs), maxMs);
}

/** Looks again and again until it is so. */
export async function eventually(
  setting: Setting,
  withinMs: number,
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const steps = 40;
  for (let step = 0; step < steps; step++) {
    if (await isSo()) return;
    await setting.sleep(withinMs / steps);
  }
  assert.ok(await isSo(), `not within ${withinMs} ms: ${what}`);
}

const patienceMs = 10_000;

/** Fails with a word on what was awaited, where the runner could only say that the test took too long. */
export async function soon<T>(promise: Promise<T>, awaited: string): Promise<T> {
  let stop: (() => void) | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const timer = systemClock.after(patienceMs, () => {
      reject(new assert.AssertionError({ message: `waited ${patienceMs} ms in vain for ${awaited}` }));
    });
    stop = () => {
      timer.cancel();
    };
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    stop?.();
  }
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}
