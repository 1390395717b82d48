import assert from "node:assert/strict";
import type { Check } from "./fixture.js";

export function guarantees(check: Check): void {
  check("are data that make sense", async ({ store }) => {
    const promised = store.guarantees;
    assert.ok(promised.engine.length > 0);
    assert.ok(["process", "host", "network"].includes(promised.reach));
    assert.ok(["no", "process", "power", "as-configured"].includes(promised.durable));
    assert.ok(["own", "shared"].includes(promised.revisions));
    assert.ok(["any", "own"].includes(promised.bindings));
    assert.ok(["log", "resync"].includes(promised.watch));
    assert.ok(["view", "data", "doorbell", "poll"].includes(promised.push));
    const fences = ["monotonic", "follows-clock-on-failover", "regresses-on-failover"];
    assert.ok(fences.includes(promised.fence));
    assert.ok(["process", "host", "server"].includes(promised.expiryClock));
    for (const yesOrNo of [
      "linearizableReads",
      "failoverLosesCommits",
      "noticesDeath",
      "expiryMovesWithWallClock",
      "failoverRestartsExpiry",
    ] as const) {
      assert.equal(typeof promised[yesOrNo], "boolean");
    }
    const { minMs, maxMs, grainMs } = promised.ttl;
    assert.ok(minMs > 0 && minMs <= maxMs && grainMs > 0 && Number.isFinite(maxMs));
    // Every recipe fits into these; an engine that can do less is no place for one.
    assert.ok(minMs <= 10_000 && maxMs >= 20_000);
    assert.ok(promised.maxOperations >= 16 && promised.maxValueBytes >= 1024);
    await Promise.resolve();
  });

  check("fit together", async ({ store }) => {
    const { reach, expiryClock, fence, failoverLosesCommits } = store.guarantees;
    if (reach !== "process") assert.notEqual(expiryClock, "process");
    if (reach === "network") assert.equal(expiryClock, "server");
    if (fence !== "monotonic") assert.ok(failoverLosesCommits);
    await Promise.resolve();
  });

  check("are the same for every client", async ({ store, other }) => {
    assert.deepEqual(store.guarantees, other.guarantees);
    await Promise.resolve();
  });
}
