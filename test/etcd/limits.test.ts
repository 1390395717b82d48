import { openEtcdStore, type EtcdStore } from "lockstep/etcd";
import { afterEach, expect, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startEtcd } from "../rig/etcd.js";
import type { RunningServer } from "../rig/running-server.js";

describeOn("etcd", "the limits of an etcd server", () => {
  let server: RunningServer;
  let store: EtcdStore;
  async function open(...args: string[]): Promise<void> {
    server = await startEtcd({ args });
    store = await openEtcdStore({ endpoints: [`127.0.0.1:${server.port}`] });
  }
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  const put = (key: string, bytes = 1) => ({ kind: "put" as const, key, value: new Uint8Array(bytes) });

  test("a change that is larger than a request may be is refused, and says what to do", async () => {
    await open();
    const megabyte = 1024 * 1024;
    for (const count of [2, 3]) {
      const then = Array.from({ length: count }, (_, i) => put(`${i}`, megabyte));
      await expect(store.commit({ then })).rejects.toMatchObject({
        code: "bad-input",
        applied: "no",
        message: expect.stringMatching(/--max-request-bytes/) as unknown,
      });
    }
    expect((await store.read({ prefix: "" })).entries).toEqual([]);
  });

  test("more is read at once than gRPC lets through by itself", async () => {
    await open();
    for (let i = 0; i < 6; i++) await store.commit({ then: [put(`${i}`, 1024 * 1024)] });
    expect((await store.read({ prefix: "" })).entries).toHaveLength(6);
    const { value } = await store.watch("").next();
    expect(value).toMatchObject({ snapshot: { entries: { length: 6 } } });
  });

  test("a full database is told of, with what to do about it", async () => {
    await open("--quota-backend-bytes=2097152");
    const fill = async () => {
      for (let i = 0; i < 500; i++) await store.commit({ then: [put(`${i}`, 64 * 1024)] });
    };
    await expect(fill()).rejects.toMatchObject({
      code: "unavailable",
      // It is the very change that fills it up that is made, and answered like those after it, which are not.
      applied: "maybe",
      message: expect.stringMatching(/alarm disarm/) as unknown,
    });
    expect((await store.read({ prefix: "" })).entries.length).toBeGreaterThan(0);
  });

  test("a server with room for fewer operations in a transaction says which setting it is", async () => {
    await open("--max-txn-ops=20");
    const then = Array.from({ length: 50 }, (_, i) => put(`${i}`));
    await expect(store.commit({ then })).rejects.toMatchObject({
      code: "unavailable",
      applied: "no",
      message: expect.stringMatching(/--max-txn-ops/) as unknown,
    });
  });
});
