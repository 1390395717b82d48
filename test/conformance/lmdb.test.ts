import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { systemClock } from "lockstep/base";
import { frozenClock, storeConformance, type Fixture } from "lockstep/conformance";
import { openLmdbStore } from "lockstep/lmdb";
import { describe, test } from "vitest";
import { likeTheModel } from "../store/model.js";

async function lmdbFixture(): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), "lockstep-conformance-"));
  return {
    connect: () => openLmdbStore(directory),
    connectFrozen: () => openLmdbStore(directory, { clock: frozenClock(systemClock) }),
    sleep: (ms) => sleep(ms),
    dispose: () => rm(directory, { recursive: true }),
  };
}

storeConformance({ describe, test }, "lmdb", lmdbFixture);

test("the LMDB engine does as the model does, and so as the memory engine", async () => {
  await fc.assert(likeTheModel(lmdbFixture, { expiry: false }), { numRuns: 40 });
}, 60_000);
