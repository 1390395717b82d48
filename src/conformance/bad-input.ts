import assert from "node:assert/strict";
import type { Change, Query } from "../store/change.js";
import { maxKeyBytes } from "../store/keys.js";
import type { Check, Setting } from "./fixture.js";
import {
  absent,
  assertSameSnapshot,
  bytes,
  created,
  failsWith,
  made,
  modified,
  put,
  remove,
} from "./shorthand.js";

const badKeys: Record<string, unknown> = {
  "an empty key": "",
  "an over-long key": "x".repeat(maxKeyBytes + 1),
  "a key that is over-long in bytes only": "é".repeat(maxKeyBytes / 2) + "x",
  "a key with a zero": "a\u0000b",
  "a key with a line break": "a\nb",
  "a key with a delete character": "a\u007f",
  "a key with the first half of a pair": "a\ud83d",
  "a key with the second half of a pair": "\udd12a",
  "a key with halves in the wrong order": "\udd12\ud83d",
  "no key": undefined,
  "null for a key": null,
  "a number for a key": 7,
};

const badChanges: Record<string, unknown> = {
  "no list of writes": {},
  "something else for a list of writes": { then: "put" },
  "something else for a list of conditions": { when: absent("a"), then: [] },
  "a key put twice": { then: [put("a", "1"), put("b"), put("a", "2")] },
  "a key put and deleted": { then: [put("a"), remove("a")] },
  "a key deleted twice": { then: [remove("a"), remove("a")] },
  "a string for a value": { then: [{ kind: "put", key: "a", value: "text" }] },
  "no value": { then: [{ kind: "put", key: "a" }] },
  "an array of numbers for a value": { then: [{ kind: "put", key: "a", value: [1, 2, 3] }] },
  "wider numbers for a value": { then: [{ kind: "put", key: "a", value: new Uint16Array(2) }] },
  "a bare buffer for a value": { then: [{ kind: "put", key: "a", value: new ArrayBuffer(2) }] },
  "an unknown kind of write": { then: [{ kind: "set", key: "a", value: bytes("1") }] },
  "a number for a revision": { when: [{ kind: "created", key: "a", revision: 1 }], then: [] },
  "an unknown kind of condition": { when: [{ kind: "present", key: "a" }], then: [] },
};

const badLimits = [0, -1, 1.5, NaN, Infinity, "3", null];
const badTtls = [NaN, 0, -1, Infinity, -Infinity, "1000", undefined, null];

export function badInput(check: Check): void {
  for (const [fault, key] of Object.entries(badKeys)) {
    check(`is ${fault}`, async (setting) => {
      const bad = key as string;
      for (const write of [put(bad, "value"), remove(bad)])
        await rejected(setting, { then: [put("b"), write] });
      for (const condition of [absent(bad), created(bad, 1n), modified(bad, 1n)]) {
        await rejected(setting, { when: [condition], then: [put("b")] });
      }
      await rejectedQuery(setting, { key: bad });
      if (key !== "") await rejectedQuery(setting, { prefix: bad });
    });
  }

  for (const [fault, change] of Object.entries(badChanges)) {
    check(`is ${fault}`, (setting) => rejected(setting, change as Change));
  }

  check("is a change of more operations than promised", async (setting) => {
    const most = setting.store.guarantees.maxOperations;
    if (most > 100_000) return;
    const writes = Array.from({ length: most }, (_, i) => put(`k${i}`));
    await rejected(setting, { then: [...writes, put("a")] });
    await rejected(setting, { when: [absent("b")], then: writes });
  });

  check("is a limit that is no whole number above 0", async (setting) => {
    for (const limit of badLimits) await rejectedQuery(setting, { prefix: "", limit: limit as number });
  });

  check("is a time to live that no engine, or not this one, can keep", async ({ store }) => {
    const { minMs, maxMs } = store.guarantees.ttl;
    for (const ttlMs of [...badTtls, minMs - 1, minMs / 2, maxMs + 1]) {
      await failsWith("bad-input", () => store.openSession({ ttlMs: ttlMs as number }));
    }
    const { sessions } = await store.read({ prefix: "", sessions: true });
    assert.deepEqual(sessions, []);
  });
}

/** Bad input must fail before it does anything, whatever else the change holds. */
async function rejected({ store }: Setting, change: Change): Promise<void> {
  await made(store, { then: [put("a", "as it was")] });
  const before = await store.read({ prefix: "" });
  await failsWith("bad-input", () => store.commit(change));
  assertSameSnapshot(store, await store.read({ prefix: "" }), before);
}

async function rejectedQuery(setting: Setting, query: Query): Promise<void> {
  await failsWith("bad-input", () => setting.store.read(query));
  await rejected(setting, { then: [put("b")], read: query });
}
