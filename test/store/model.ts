import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fixture } from "lockstep/conformance";
import type {
  Change,
  Condition,
  Query,
  Revision,
  Session,
  SessionInfo,
  Snapshot,
  Store,
  Write,
} from "lockstep/store";
import { bytes, plain, ttlNear } from "../../src/conformance/shorthand.js";
import { NaiveStore, type NaiveSession } from "./naive-store.js";
import { WatchOracle } from "./watch-oracle.js";

export interface ModelOptions {
  /**
   * Lets sessions expire too. Needs a fixture whose time stands still but for its `sleep`, since the model
   * must know for certain which sessions are alive.
   */
  readonly expiry: boolean;
}

/** Whatever is done to a store, it does what the naive store does. `open` gives a new and empty store. */
export function likeTheModel(open: () => Promise<Fixture>, options: ModelOptions) {
  return fc.asyncProperty(
    fc.commands([commandArb(options)], { maxCommands: 60, size: "max" }),
    async (commands) => {
      const fixture = await open();
      const real = await Real.begin(fixture, options);
      try {
        const { revision } = await real.stores[0].read({ prefix: "" });
        const model = new NaiveStore(revision, real.opener.guarantees.revisions);
        await fc.asyncModelRun(() => ({ model, real }), commands);
        await finish(model, real);
      } finally {
        await real.close();
        await fixture.dispose();
      }
    },
  );
}

class Real {
  readonly fixture: Fixture;
  readonly stores: readonly [Store, Store];
  /** Opens the sessions. When they are to expire, it is a client that never renews them. */
  readonly opener: Store;
  readonly sessions: Session[] = [];
  readonly watches: WatchOracle[] = [];
  /** Revisions that were seen at some time, to ask about again. */
  readonly seen: Revision[] = [];

  private constructor(fixture: Fixture, stores: readonly [Store, Store], opener: Store) {
    this.fixture = fixture;
    this.stores = stores;
    this.opener = opener;
  }

  static async begin(fixture: Fixture, { expiry }: ModelOptions): Promise<Real> {
    const opener = await (expiry ? fixture.connectFrozen() : fixture.connect());
    return new Real(fixture, [await fixture.connect(), await fixture.connect()], opener);
  }

  async close(): Promise<void> {
    for (const watch of this.watches) await watch.stop();
    await Promise.all([this.opener, ...this.stores].map((store) => store.close()));
  }
}

type Command = fc.AsyncCommand<NaiveStore, Real>;

/** Something to do, with all that chance decides about it in `spec`, which a failure prints. */
function command<Spec>(
  name: string,
  spec: Spec,
  run: (spec: Spec, model: NaiveStore, real: Real) => Promise<void>,
): Command {
  return {
    check: () => true,
    run: (model, real) => run(spec, model, real),
    toString: () => `${name}(${JSON.stringify(spec)})`,
  };
}

const keyArb = fc.constantFrom("a", "a/", "a/b", "a/b/c", "a0", "b", "\uffff", "\u{1f512}", "\u{1f512}/a");
const prefixArb = fc.constantFrom("", "a", "a/", "a/b", "\uffff", "\u{1f512}");
const nth = fc.nat({ max: 5 });
const storeArb = fc.constantFrom(0 as const, 1 as const);

const conditionArb = fc.record({
  kind: fc.constantFrom("absent" as const, "created" as const, "modified" as const, "alive" as const),
  key: keyArb,
  aim: fc.constantFrom("right" as const, "right" as const, "past" as const),
  nth,
});

const writeArb = fc.record({
  kind: fc.constantFrom("put" as const, "put" as const, "delete" as const),
  key: keyArb,
  value: fc.string({ maxLength: 3 }),
  session: fc.option(nth),
});

const queryArb = fc.oneof(
  fc.record({ key: keyArb }),
  fc.record(
    {
      prefix: prefixArb,
      order: fc.constantFrom("key" as const, "created" as const),
      limit: fc.integer({ min: 1, max: 4 }),
      sessions: fc.boolean(),
    },
    { requiredKeys: ["prefix"] },
  ),
);

const commitArb = fc.record({
  store: storeArb,
  when: fc.oneof(fc.array(conditionArb, { maxLength: 0 }), fc.array(conditionArb, { maxLength: 2 })),
  then: fc.uniqueArray(writeArb, { maxLength: 4, selector: ({ key }) => key }),
  read: fc.option(queryArb),
});

const watchArb = fc.record({
  store: storeArb,
  prefix: prefixArb,
  from: fc.constantFrom("nothing" as const, "now" as const, "past" as const),
  nth: fc.nat({ max: 40 }),
});

function commandArb({ expiry }: ModelOptions): fc.Arbitrary<Command> {
  const storeAndQuery = fc.record({ store: storeArb, query: queryArb });
  return fc.oneof(
    { weight: 8, arbitrary: commitArb.map((spec) => command("commit", spec, commit)) },
    { weight: 2, arbitrary: storeAndQuery.map((spec) => command("read", spec, read)) },
    {
      weight: 2,
      arbitrary: fc.record({ ttl: nth }).map((spec) => command("openSession", spec, openSession)),
    },
    { weight: 1, arbitrary: fc.record({ nth }).map((spec) => command("endSession", spec, endSession)) },
    { weight: 1, arbitrary: watchArb.map((spec) => command("watch", spec, watch)) },
    { weight: 2, arbitrary: fc.record({ nth }).map((spec) => command("catchUp", spec, catchUp)) },
    {
      weight: expiry ? 2 : 0,
      arbitrary: fc.record({ steps: nth }).map((spec) => command("sleep", spec, sleep)),
    },
  );
}

type SpecOf<Arb> = Arb extends fc.Arbitrary<infer Spec> ? Spec : never;

async function commit(spec: SpecOf<typeof commitArb>, model: NaiveStore, real: Real): Promise<void> {
  const change: Change = {
    when: spec.when.map((condition) => conditionOf(condition, model, real)),
    then: boundAsPromised(
      spec.then.map((write) => writeOf(write, model)),
      real,
    ),
    read: spec.read ?? undefined,
  };
  const failed = model.firstFailure(change);
  const advances = !failed && model.changesAnything(change);
  const verdict = await storeFor(change, real.stores[spec.store], real).commit(change);
  assert.deepEqual(verdict.ok ? undefined : verdict.failed, failed);
  if (verdict.ok) {
    if (advances) assert.ok(verdict.revision > model.revision, "a commit gets a new revision");
    else model.isAt(verdict.revision);
    model.apply(change, verdict.revision);
    real.seen.push(verdict.revision);
  }
  assertSnapshot(verdict.snapshot, change.read, model);
}

async function read(
  spec: { store: 0 | 1; query: SpecOf<typeof queryArb> },
  model: NaiveStore,
  real: Real,
): Promise<void> {
  assertSnapshot(await real.stores[spec.store].read(spec.query), spec.query, model);
}

async function openSession(spec: { ttl: number }, model: NaiveStore, real: Real): Promise<void> {
  // An odd number of units, where time passes by two at once: nothing happens at the very moment of expiry.
  const ttlMs = unitMs(real) * (8 + 2 * spec.ttl + 1);
  const label = `session ${model.sessions.length}`;
  const session = await real.opener.openSession({ ttlMs, label });
  assert.ok(model.sessions.every(({ id }) => id !== session.id));
  real.sessions.push(session);
  model.sessions.push({ id: session.id, label, ttlMs, expiresAt: model.now + ttlMs, alive: true });
}

async function endSession(spec: { nth: number }, model: NaiveStore, real: Real): Promise<void> {
  const session = pick(real.sessions, spec.nth);
  const twin = pick(model.sessions, spec.nth);
  if (!session || !twin) return;
  await session.end();
  assert.equal(session.isValid(), false);
  if (twin.alive) await over([twin], model, real);
}

async function sleep(spec: { steps: number }, model: NaiveStore, real: Real): Promise<void> {
  const ms = unitMs(real) * 2 * (spec.steps + 1);
  await real.fixture.sleep(ms);
  model.now += ms;
  const expired = model.sessions.filter(({ alive, expiresAt }) => alive && expiresAt < model.now);
  for (const { id } of expired) {
    const twin = real.sessions.find((session) => session.id === id);
    assert.equal(twin?.isValid(), false, "its owner knows first");
  }
  // Whichever call comes first after the time must notice it.
  const isSeen = spec.steps % 2 === 0 ? commitsSeeTheEndOf : readsSeeTheEndOf;
  for (let attempt = 0; !(await isSeen(expired, real)); attempt++) {
    assert.ok(attempt < 100, "a session that is over is seen to be over");
    await real.fixture.sleep(0);
  }
  if (expired.length > 0) await over(expired, model, real);
}

async function readsSeeTheEndOf(expired: readonly NaiveSession[], real: Real): Promise<boolean> {
  const { sessions = [] } = await real.stores[0].read({ prefix: "", sessions: true });
  return !sessions.some(({ id }) => expired.some((dead) => dead.id === id));
}

async function commitsSeeTheEndOf(expired: readonly NaiveSession[], real: Real): Promise<boolean> {
  for (const { id } of expired) {
    const verdict = await real.stores[1].commit({ when: [{ kind: "alive", session: id }], then: [] });
    if (verdict.ok) return false;
  }
  return true;
}

async function over(ending: readonly NaiveSession[], model: NaiveStore, real: Real): Promise<void> {
  const { revision } = await real.stores[0].read({ prefix: "" });
  if (model.bindsAnything(ending))
    assert.ok(revision > model.revision, "the keys of a session vanish by a commit");
  else model.isAt(revision);
  model.end(ending, revision);
  real.seen.push(revision);
  assertSnapshot(await real.stores[1].read({ prefix: "" }), { prefix: "" }, model);
}

async function watch(spec: SpecOf<typeof watchArb>, model: NaiveStore, real: Real): Promise<void> {
  const froms = { nothing: undefined, now: model.revision, past: pick(real.seen, spec.nth) };
  const from = froms[spec.from];
  const told = real.stores[spec.store].watch(spec.prefix, { from });
  real.watches.push(new WatchOracle(told, model, spec.prefix, from));
  return Promise.resolve();
}

async function catchUp(spec: { nth: number }, _model: NaiveStore, real: Real): Promise<void> {
  await pick(real.watches, spec.nth)?.catchUp();
}

/** Something new for every watch to tell: only then would it show that one told too much before. */
async function finish(model: NaiveStore, real: Real): Promise<void> {
  const keys = ["last", "a/b last", "\uffff last", "\u{1f512} last"];
  const then: Write[] = keys.map((key) => ({ kind: "put", key, value: bytes("") }));
  const verdict = await real.stores[0].commit({ then });
  assert.ok(verdict.ok);
  model.apply({ then }, verdict.revision);
  for (const oracle of real.watches) await oracle.catchUp();
  assertSnapshot(await real.stores[1].read({ prefix: "" }), { prefix: "" }, model);
}

function assertSnapshot(snapshot: Snapshot, query: Query | undefined, model: NaiveStore): void {
  model.isAt(snapshot.revision);
  assert.deepEqual(snapshot.entries.map(plain), query ? model.find(query).map(plain) : []);
  if (!query || "key" in query || !query.sessions) {
    assert.equal(snapshot.sessions, undefined);
    return;
  }
  const inOrder = (sessions: readonly (SessionInfo | NaiveSession)[]) =>
    sessions.map(({ id, label, ttlMs }) => ({ id, label, ttlMs })).sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(inOrder(snapshot.sessions ?? []), inOrder(model.sessions.filter(({ alive }) => alive)));
}

function conditionOf(spec: SpecOf<typeof conditionArb>, model: NaiveStore, real: Real): Condition {
  const { kind, key } = spec;
  if (kind === "alive") return { kind, session: pick(model.sessions, spec.nth)?.id ?? "nobody" };
  if (kind === "absent") return { kind, key };
  const right = model.entries.get(key)?.[kind];
  const revision = (spec.aim === "right" ? right : pick(real.seen, spec.nth)) ?? 1n;
  return { kind, key, revision };
}

function writeOf(spec: SpecOf<typeof writeArb>, model: NaiveStore): Write {
  const { kind, key } = spec;
  if (kind === "delete") return { kind, key };
  // Seldom a dead one, which refuses the whole change.
  const owners = spec.session === 0 ? model.sessions : model.sessions.filter(({ alive }) => alive);
  const session = spec.session === null ? undefined : pick(owners, spec.session)?.id;
  return { kind, key, value: bytes(spec.value), session };
}

/** Where a change may bind to one session only, the first that it names stands for all. */
function boundAsPromised(writes: Write[], real: Real): Write[] {
  if (real.opener.guarantees.bindings === "any") return writes;
  const session = writes.map(sessionOf).find((id) => id !== undefined);
  return writes.map((write) => (sessionOf(write) === undefined ? write : { ...write, session }));
}

/** Where sessions are bound to by their own client only, that is the one to ask. */
function storeFor({ then }: Change, chosen: Store, real: Real): Store {
  const isBinding = then.some((write) => sessionOf(write) !== undefined);
  return isBinding && real.opener.guarantees.bindings === "own" ? real.opener : chosen;
}

function sessionOf(write: Write): string | undefined {
  return write.kind === "put" ? write.session : undefined;
}

/** The nth from the end, round and round: the latest things are the likeliest to matter. */
function pick<T>(items: readonly T[], nth: number): T | undefined {
  return items.length === 0 ? undefined : items[items.length - 1 - (nth % items.length)];
}

function unitMs(real: Real): number {
  return ttlNear(real.opener, 100);
}
