import { isLockstepError } from "lockstep/base";
import { closedError, WatchFeed, type Batch, type Event, type Resync, type Snapshot } from "lockstep/store";
import { describe, expect, test, vi } from "vitest";

function event(key: string, revision: bigint, value = ""): Event {
  const bytes = new TextEncoder().encode(value);
  const entry = { key, value: bytes, created: revision, modified: revision, session: undefined };
  return { kind: "put", key, revision, entry };
}

/** A feed of the prefix "w/", with what a test wants to be different. */
function feedOf(options: {
  from?: bigint;
  signal?: AbortSignal;
  snapshot?: () => Snapshot | Promise<Snapshot>;
}) {
  const onEnd = vi.fn();
  const feed = new WatchFeed({
    prefix: "w/",
    from: options.from,
    signal: options.signal,
    snapshot: options.snapshot ?? (() => ({ revision: 0n, entries: [] })),
    onEnd,
  });
  return { feed, onEnd };
}

function push(feed: WatchFeed, revision: bigint, ...keys: string[]): void {
  feed.push(
    revision,
    keys.map((key) => event(key, revision)),
  );
}

function brief(result: IteratorResult<Batch | Resync, undefined>): string {
  if (result.done) return "done";
  if (result.value.kind === "resync") return `resync ${result.value.snapshot.revision}`;
  return `${result.value.revision}: ${result.value.events.map(({ key }) => key).join(" ")}`;
}

/** Every promise that can go on by itself has gone on: who waits now really waits. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function take(feed: WatchFeed, count: number): Promise<string[]> {
  const told: string[] = [];
  for (let i = 0; i < count; i++) told.push(brief(await feed.next()));
  return told;
}

describe("a feed", () => {
  test("tells commits in order, each as one batch, and only of its own keys", async () => {
    const { feed } = feedOf({ from: 3n });
    push(feed, 4n, "w/a", "v", "w/b", "w");
    push(feed, 5n, "v");
    push(feed, 6n, "w/a");
    expect(await take(feed, 2)).toEqual(["4: w/a w/b", "6: w/a"]);
  });

  test("wakes a reader that waits", async () => {
    const { feed } = feedOf({ from: 3n });
    const waiting = take(feed, 2);
    await settled();
    push(feed, 4n, "w/a");
    push(feed, 5n, "w/b");
    expect(await waiting).toEqual(["4: w/a", "5: w/b"]);
  });

  test("skips what its reader has seen already", async () => {
    const { feed } = feedOf({ from: 4n });
    push(feed, 3n, "w/a");
    push(feed, 4n, "w/a");
    push(feed, 5n, "w/b");
    push(feed, 5n, "w/b");
    push(feed, 6n, "w/c");
    expect(await take(feed, 2)).toEqual(["5: w/b", "6: w/c"]);
  });

  test("without a revision to begin from begins with a resync", async () => {
    const { feed } = feedOf({ snapshot: () => ({ revision: 7n, entries: [] }) });
    push(feed, 7n, "w/in the snapshot");
    expect(await take(feed, 1)).toEqual(["resync 7"]);
    push(feed, 8n, "w/after");
    expect(await take(feed, 1)).toEqual(["8: w/after"]);
  });

  test("loses no commit that is pushed while the snapshot is being read", async () => {
    let read: (snapshot: Snapshot) => void = () => undefined;
    const { feed } = feedOf({ snapshot: () => new Promise((resolve) => (read = resolve)) });
    const waiting = take(feed, 3);
    await settled();
    for (const revision of [8n, 9n, 10n, 11n]) push(feed, revision, `w/${revision}`);
    read({ revision: 9n, entries: [] });
    expect(await waiting).toEqual(["resync 9", "10: w/10", "11: w/11"]);
  });

  test("begins again when a resync is required while the snapshot is being read", async () => {
    const reads: ((snapshot: Snapshot) => void)[] = [];
    const { feed } = feedOf({ snapshot: () => new Promise((resolve) => reads.push(resolve)) });
    const waiting = take(feed, 3);
    await vi.waitFor(() => expect(reads).toHaveLength(1));
    push(feed, 8n, "w/lost");
    feed.requireResync();
    push(feed, 9n, "w/lost too");
    reads[0]?.({ revision: 7n, entries: [] });
    await vi.waitFor(() => expect(reads).toHaveLength(2));
    push(feed, 11n, "w/a");
    reads[1]?.({ revision: 10n, entries: [] });
    expect(await waiting).toEqual(["resync 7", "resync 10", "11: w/a"]);
  });

  test("tells no snapshot that lacks what was pushed after it", async () => {
    const { feed } = feedOf({ from: 0n, snapshot: () => ({ revision: 2n, entries: [] }) });
    feed.requireResync({ revision: 1n, entries: [] });
    push(feed, 2n, "w/a");
    expect(await take(feed, 1)).toEqual(["resync 2"]);
  });

  test("resyncs a reader who comes with a revision from a future that never was", async () => {
    let read: (snapshot: Snapshot) => void = () => undefined;
    const { feed } = feedOf({ from: 1000n, snapshot: () => new Promise((resolve) => (read = resolve)) });
    feed.requireResync();
    const waiting = take(feed, 3);
    await settled();
    push(feed, 8n, "w/a");
    read({ revision: 7n, entries: [] });
    await settled();
    push(feed, 9n, "w/b");
    expect(await waiting).toEqual(["resync 7", "8: w/a", "9: w/b"]);
  });

  test("gives a reader who is too slow a resync instead of ever more memory", async () => {
    let revision = 0n;
    const { feed } = feedOf({ from: 0n, snapshot: () => ({ revision, entries: [] }) });
    while (revision < 4096n) push(feed, ++revision, "w/a");
    expect(await take(feed, 1)).toEqual(["1: w/a"]);
    push(feed, ++revision, "w/a");
    // One more than may wait: from here on the snapshot speaks for them all.
    push(feed, ++revision, "w/a");
    push(feed, ++revision, "w/a");
    expect(await take(feed, 1)).toEqual([`resync ${revision}`]);
    push(feed, ++revision, "w/b");
    expect(await take(feed, 1)).toEqual([`${revision}: w/b`]);
  });

  test("does not count what is not watched against a slow reader", async () => {
    const { feed } = feedOf({ from: 0n });
    for (let revision = 1n; revision <= 10_000n; revision++) push(feed, revision, "v");
    push(feed, 10_001n, "w/a");
    expect(await take(feed, 1)).toEqual(["10001: w/a"]);
  });

  test("gives each reader an array of its own", async () => {
    const shared = [event("w/a", 1n, "value")];
    const feeds = [feedOf({ from: 0n }).feed, feedOf({ from: 0n }).feed];
    for (const feed of feeds) feed.push(1n, shared);
    for (const feed of feeds) {
      const told = (await feed.next()).value as Batch;
      const [put] = told.events;
      if (put?.kind !== "put") expect.unreachable();
      expect(new TextDecoder().decode(put.entry.value)).toBe("value");
      put.entry.value.fill(0);
    }
  });
});

describe("a feed that ends", () => {
  test("by return() tells no more", async () => {
    const { feed, onEnd } = feedOf({ from: 0n });
    push(feed, 1n, "w/a");
    const waiting = take(feed, 3);
    await settled();
    await feed.return();
    push(feed, 2n, "w/b");
    expect((await waiting).at(-1)).toBe("done");
    await feed.return();
    expect(brief(await feed.next())).toBe("done");
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  test("by an abort rethrows the reason, to every call that waits", async () => {
    const abort = new AbortController();
    const { feed, onEnd } = feedOf({ from: 0n, signal: abort.signal });
    const waiting = [feed.next(), feed.next(), feed.next()];
    await settled();
    const reason = new Error("enough");
    abort.abort(reason);
    for (const next of waiting) await expect(next).rejects.toBe(reason);
    await expect(feed.next()).rejects.toBe(reason);
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  test("lets go of a reader whose snapshot is still being read, though it never comes", async () => {
    const ends: [(feed: WatchFeed, abort: AbortController) => unknown, string][] = [
      [(feed) => feed.return(), "done"],
      [(feed) => feed.fail(closedError()), "closed"],
      [(_feed, abort) => abort.abort(closedError()), "closed"],
    ];
    for (const [end, outcome] of ends) {
      const abort = new AbortController();
      const snapshot = () => new Promise<Snapshot>(() => undefined);
      const { feed } = feedOf({ signal: abort.signal, snapshot });
      const next = feed.next().then(brief, (error: unknown) => isLockstepError(error) && error.code);
      await settled();
      end(feed, abort);
      expect(await next).toBe(outcome);
    }
  });

  test("by an abort tells nothing of what waited", async () => {
    const abort = new AbortController();
    const { feed } = feedOf({ from: 0n, signal: abort.signal });
    push(feed, 1n, "w/a");
    abort.abort("enough");
    await expect(feed.next()).rejects.toBe("enough");
  });

  test("before it began, by a signal that had aborted, does not call the engine back", async () => {
    const reason = new Error("too late");
    const { feed, onEnd } = feedOf({ from: 0n, signal: AbortSignal.abort(reason) });
    push(feed, 1n, "w/a");
    await expect(feed.next()).rejects.toBe(reason);
    expect(onEnd).not.toHaveBeenCalled();
  });

  test("lets go of the signal", async () => {
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, "removeEventListener");
    const { feed, onEnd } = feedOf({ from: 0n, signal: abort.signal });
    await feed.return();
    expect(remove).toHaveBeenCalledTimes(1);
    abort.abort();
    expect(brief(await feed.next())).toBe("done");
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  test("by a failure of the engine throws it", async () => {
    const { feed, onEnd } = feedOf({ from: 0n });
    const waiting = feed.next();
    await settled();
    feed.fail(closedError());
    await expect(waiting).rejects.toSatisfy((error) => isLockstepError(error, "closed"));
    await expect(feed.next()).rejects.toSatisfy((error) => isLockstepError(error, "closed"));
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  test("by a snapshot that cannot be read throws what went wrong", async () => {
    const broken = new Error("broken");
    const { feed, onEnd } = feedOf({ snapshot: () => Promise.reject(broken) });
    await expect(feed.next()).rejects.toBe(broken);
    await expect(feed.next()).rejects.toBe(broken);
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});
