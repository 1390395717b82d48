import { systemClock } from "lockstep/base";
import type { Query, Revision, Snapshot } from "lockstep/store";
import { expect, test } from "vitest";
import { CallFailure } from "../../src/engines/etcd/call-failure.js";
import { Cluster, type StreamListener } from "../../src/engines/etcd/cluster.js";
import { Keyspace } from "../../src/engines/etcd/keyspace.js";
import type { Member } from "../../src/engines/etcd/member.js";
import { protocol, type Method } from "../../src/engines/etcd/messages.js";
import { WatchHub } from "../../src/engines/etcd/watch-hub.js";

const commit = protocol.Txn;
const change = { compare: [], success: [], failure: [] };
const user = { username: "ann", password: "secret" };

/** A member that is asked in words, and fails with words. */
function member(
  name: string,
  answer: (method: Method<never, unknown>) => Promise<unknown>,
  endStreams: () => void = () => undefined,
): Member {
  const failure = (words: string) => new CallFailure(name, words);
  const ask = (method: Method<never, unknown>) =>
    answer(method).catch((error: unknown) => Promise.reject(failure((error as Error).message)));
  return { isConnected: true, ask, failure, endStreams } as unknown as Member;
}

test("a commit is surely not made as long as it is the login that has no answer", async () => {
  const silent = member("a", () => Promise.reject(new Error("no answer")));
  const cluster = new Cluster([silent], user, systemClock);
  const calling = cluster.call(commit, change, { isRepeatable: false, withinMs: 200 });
  await expect(calling).rejects.toMatchObject({ code: "unavailable", applied: "no" });
});

test("a token that is refused is asked for again, once for all who were refused", async () => {
  let logins = 0;
  const strict = member("a", async (method) => {
    if (method.path === protocol.Authenticate.path) return { token: `${++logins}` };
    if (logins < 2) throw new Error("etcdserver: invalid auth token");
    return "done";
  });
  const cluster = new Cluster([strict], user, systemClock);
  const calls = [1, 2, 3].map(() => cluster.call(commit, change, { isRepeatable: false }));
  expect(await Promise.all(calls)).toEqual(["done", "done", "done"]);
  expect(logins).toBe(2);
});

test("those who fail together go on to the next member, and not past it", async () => {
  const asked: string[] = [];
  const members = ["a", "b", "c"].map((name) => {
    const answer = async () => {
      asked.push(name);
      if (name !== "b") throw new Error("etcdserver: no leader");
      return name;
    };
    return member(name, answer, () => void asked.push(`end the streams to ${name}`));
  });
  const cluster = new Cluster(members, undefined, systemClock);
  const calls = [1, 2, 3].map(() => cluster.call(commit, change, { isRepeatable: false }));
  expect(await Promise.all(calls)).toEqual(["b", "b", "b"]);
  expect(asked).toEqual(["a", "a", "a", "end the streams to a", "b", "b", "b"]);
});

test("a commit that may have arrived is not sent again, and one that was refused is", async () => {
  const answers = ["etcdserver: too many requests", "etcdserver: request timed out"];
  const busy = member("a", () => Promise.reject(new Error(answers.shift() ?? "sent again")));
  const cluster = new Cluster([busy], undefined, systemClock);
  const calling = cluster.call(commit, change, { isRepeatable: false });
  await expect(calling).rejects.toMatchObject({ code: "unknown-outcome", applied: "maybe" });
  expect(answers).toEqual([]);
});

/** A watch from revision 10 at a member that has reached revision 5 only. */
function watchAtLaggard(clusterIsAt: Revision) {
  const stream = { send: () => undefined, cancel: () => undefined };
  const open = async (_: unknown, { onMessage }: StreamListener<object>) => {
    const tell = (message: object) => onMessage(message, (why) => new CallFailure("a", why));
    setImmediate(() => {
      const header = { revision: 5n, raftTerm: 1n };
      tell({ header, watchId: 1n, created: true, events: [] });
      const kv = { key: Buffer.from("test/k/x"), modRevision: 11n, lease: 0n };
      setImmediate(() => tell({ header, watchId: 1n, events: [{ type: "DELETE", kv }] }));
    });
    return stream;
  };
  const cluster = { open } as unknown as Cluster;
  const read = async (_: Query): Promise<Snapshot> => ({ revision: clusterIsAt, entries: [] });
  return new WatchHub(cluster, new Keyspace("test"), read, systemClock).watch("", { from: 10n }).next();
}

test("a member that lags behind the others is waited for", async () => {
  const { value } = await watchAtLaggard(10n);
  expect(value).toMatchObject({ kind: "batch", revision: 11n });
});

test("a revision that the whole cluster has not reached is not waited for", async () => {
  const { value } = await watchAtLaggard(9n);
  expect(value).toMatchObject({ kind: "resync", snapshot: { revision: 9n } });
});
