import { expect, test } from "vitest";
import type { Cluster } from "../../src/engines/etcd/cluster.js";
import { Keyspace } from "../../src/engines/etcd/keyspace.js";
import { Leases } from "../../src/engines/etcd/leases.js";
import { protocol } from "../../src/engines/etcd/messages.js";

/** A cluster that acknowledges a renewal in one term and answers the look that follows in another. */
function leasesOf(answers: { renewed: bigint; seen: bigint; ttl?: bigint; isThere?: boolean }): Leases {
  const { renewed, seen, ttl = 10n, isThere = true } = answers;
  const cluster = {
    call: (method: object) => {
      if (method === protocol.LeaseKeepAlive)
        return Promise.resolve({ header: { raftTerm: renewed }, TTL: ttl });
      return Promise.resolve({ header: { raftTerm: seen }, succeeded: isThere, responses: [] });
    },
  };
  return new Leases(cluster as unknown as Cluster, new Keyspace("test"));
}

test("a renewal counts if the leader who made it was still the leader afterwards", async () => {
  expect(await leasesOf({ renewed: 4n, seen: 4n }).renew("a1", 10_000)).toBe(true);
});

test("a renewal by a leader who may have been deposed by then does not count", async () => {
  const renewing = leasesOf({ renewed: 4n, seen: 5n }).renew("a1", 10_000);
  await expect(renewing).rejects.toMatchObject({ code: "unavailable", applied: "no" });
});

test("a session is over when its lease is gone, and when its key is", async () => {
  expect(await leasesOf({ renewed: 4n, seen: 4n, ttl: 0n }).renew("a1", 10_000)).toBe(false);
  expect(await leasesOf({ renewed: 4n, seen: 4n, isThere: false }).renew("a1", 10_000)).toBe(false);
});
