import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "lockstep/base";
import { etcdStoreAt, openEtcdStore, type EtcdStore } from "lockstep/etcd";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startEtcd } from "../rig/etcd.js";
import type { RunningServer } from "../rig/running-server.js";
import { FaultProxy } from "../rig/fault-proxy.js";
import { freePort } from "../rig/free-port.js";
import { temporaryFolder } from "../rig/temporary-folder.js";
import { makeCertificates } from "../rig/certificates.js";
import { requirePasswords, revoke } from "./gateway.js";

const clock = systemClock;
const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

async function storeAt(address: string): Promise<EtcdStore> {
  const store = await etcdStoreAt(address, { clock });
  cleanup.push(() => store.close());
  return store;
}

async function server(options: Parameters<typeof startEtcd>[0] = {}): Promise<RunningServer> {
  const started = await startEtcd(options);
  cleanup.push(() => started.stop());
  return started;
}

const put = (key: string) => ({ kind: "put" as const, key, value: Buffer.from(key) });

async function keys(store: EtcdStore): Promise<string[]> {
  return (await store.read({ prefix: "" })).entries.map(({ key }) => key);
}

describe("an address that makes no sense is refused at once", () => {
  for (const [address, words] of [
    ["etcd://", /no host/],
    ["etcd://host:port", /no host/],
    ["etcd://host/a?ca=file", /no parameter named "ca"/],
    ["etcds://host/a?cert-file=x", /it takes ca, cert, key/],
    ["etcds://host/a?ca=no-such-file", /cannot read no-such-file/],
    ["etcd://host/a/k", /namespace/],
    ["etcd://host/a//b", /namespace/],
    ["etcd://ann@host/a", /needs a password/],
  ] as const) {
    test(address, async () => {
      await expect(storeAt(address)).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(words) as unknown,
      });
    });
  }

  test("endpoints without a port, and an option that there is none of", async () => {
    const nonsense = ["host", "host:0", "host:99999", "%zz:1", "[::1:2379", "me@host:1", "a?b:1", "a#b:1"];
    for (const endpoints of [[], "host:2379", ["http://host:2379"], ...nonsense.map((each) => [each])]) {
      const options = { endpoints: endpoints as string[] };
      await expect(openEtcdStore(options)).rejects.toMatchObject({ code: "bad-input" });
    }
    const misspelt = { endpoints: ["host:1"], nameSpace: "a" };
    await expect(openEtcdStore(misspelt)).rejects.toMatchObject({ code: "bad-input" });
  });

  test("certificates that are none", async () => {
    const options = {
      endpoints: ["host:1"],
      tls: { ca: "no certificate", cert: "neither", key: "nor a key" },
    };
    await expect(openEtcdStore(options)).rejects.toMatchObject({ code: "bad-input" });
  });
});

test("where nothing listens, or no etcd, it says so", async () => {
  const web = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  cleanup.push(() => new Promise((resolve) => web.close(() => resolve())));
  await once(web, "listening");
  const ports = [await freePort(), (web.address() as AddressInfo).port];
  await Promise.all(
    ports.map((port) => {
      const opening = openEtcdStore({ endpoints: [`127.0.0.1:${port}`] });
      return expect(opening).rejects.toMatchObject({ code: "unavailable", applied: "no" });
    }),
  );
});

describeOn("etcd", "connecting to etcd", () => {
  test("goes on to the next of several servers when one is down, and when one says nothing", async () => {
    const { port } = await server();
    const silent = await FaultProxy.start({ to: port });
    cleanup.push(() => silent.close());
    silent.hold();
    const dead = await freePort();
    const store = await storeAt(`etcd://127.0.0.1:${dead},127.0.0.1:${silent.port},127.0.0.1:${port}/a`);
    await store.commit({ then: [put("x")] });
    expect(await keys(store)).toEqual(["x"]);
  });

  test("namespaces do not meet, not even those of which one begins like the other", async () => {
    const { address } = await server();
    const stores = [await storeAt(address), await storeAt(`${address}/a`), await storeAt(`${address}/a/b`)];
    stores.push(await storeAt(`${address}/ab`));
    for (const [i, store] of stores.entries()) {
      await store.commit({ then: [put(`of ${i}`)] });
      await store.openSession({ ttlMs: 10_000 });
    }
    for (const [i, store] of stores.entries()) {
      const { entries, sessions } = await store.read({ prefix: "", sessions: true });
      expect([entries.map(({ key }) => key), sessions?.length]).toEqual([[`of ${i}`], 1]);
    }
  });
});

describeOn("etcd", "etcd with passwords", () => {
  let etcd: RunningServer;
  beforeAll(async () => {
    etcd = await startEtcd({ args: ["--auth-token-ttl=1"] });
    await requirePasswords(etcd.port, "team");
  });
  afterAll(() => etcd.stop());

  const as = (who: string, namespace: string) => storeAt(`etcd://${who}127.0.0.1:${etcd.port}/${namespace}`);

  test("lets in who knows one, into what is theirs", async () => {
    const store = await as("ann:ann%27s@", "team");
    const session = await store.openSession({ ttlMs: 5000 });
    await store.commit({ then: [{ ...put("x"), session: session.id }] });
    expect(await keys(store)).toEqual(["x"]);
  });

  test("says what is wrong with the others, without the password", async () => {
    for (const [who, namespace, words] of [
      ["ann:secret@", "team", /password is wrong/],
      ["", "team", /give a username/],
      ["ann:ann%27s@", "others", /grant/],
    ] as const) {
      const error: unknown = await as(who, namespace).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: "unavailable", applied: "no" });
      expect(String(error)).toMatch(words);
      expect(String(error)).not.toContain("secret");
    }
  });

  test("is logged in to again when a token has expired", async () => {
    const store = await as("ann:ann%27s@", "team");
    // A restart forgets all tokens.
    await etcd.restart();
    await store.commit({ then: [put("after")] });
    expect(await keys(store)).toContain("after");
  });

  test("is logged in to again for a watch that begins on a stream whose token has expired", async () => {
    const [store, other] = [await as("ann:ann%27s@", "team"), await as("ann:ann%27s@", "team")];
    const { revision } = await store.read({ prefix: "" });
    const first = store.watch("first/", { from: revision });
    await other.commit({ then: [put("first/1")] });
    await first.next();
    // Unused for longer than a token lives.
    await sleep(3000);
    const second = store.watch("second/", { from: revision });
    await other.commit({ then: [put("second/1")] });
    expect(await second.next()).toMatchObject({ value: { kind: "batch", events: [{ key: "second/1" }] } });
  });

  test("a watch of what one may no longer read fails", async () => {
    const { port } = await server();
    await requirePasswords(port, "team");
    const store = await storeAt(`etcd://ann:ann%27s@127.0.0.1:${port}/team`);
    await revoke(port, "team");
    await expect(store.watch("", { from: 0n }).next()).rejects.toMatchObject({ code: "unavailable" });
  });
});

describeOn("etcd", "etcd with TLS", () => {
  test("asks for a certificate of ours, and shows one that we trust", async () => {
    const made = makeCertificates(temporaryFolder("certificates"));
    const { port } = await server({ tls: { ...made.server, clientCa: made.ca } });
    const address = `127.0.0.1:${port}/a`;
    const { ca, client } = made;
    const store = await storeAt(`etcds://${address}?ca=${ca}&cert=${client.cert}&key=${client.key}`);
    await store.commit({ then: [put("x")] });
    expect(await keys(store)).toEqual(["x"]);
    const others = [`etcds://${address}?ca=${ca}`, `etcds://${address}`, `etcd://${address}`];
    await Promise.all(
      others.map((other) => expect(storeAt(other)).rejects.toMatchObject({ code: "unavailable" })),
    );
  }, 30_000);
});
