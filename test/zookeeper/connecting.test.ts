import { join } from "node:path";
import { connect } from "lockstep";
import type { Write } from "lockstep/store";
import { openZookeeperStore } from "lockstep/zookeeper";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOn, program } from "../rig/available.js";
import { runProgram } from "../rig/server-process.js";
import { removeFolder, temporaryFolder } from "../rig/temporary-folder.js";
import { startZookeeper } from "../rig/zookeeper.js";
import type { RunningServer } from "../rig/running-server.js";

const put = (key: string): Write => ({ kind: "put", key, value: Buffer.from(key) });

describeOn("zookeeper", "connecting to ZooKeeper", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startZookeeper();
  }, 60_000);
  afterAll(() => server.stop());

  const keysIn = async (namespace: string, credentials?: { username: string; password: string }) => {
    const endpoints = [`127.0.0.1:${server.port}`];
    const store = await openZookeeperStore({ endpoints, namespace, ...credentials });
    try {
      return (await store.read({ prefix: "" })).entries.map(({ key }) => key);
    } finally {
      await store.close();
    }
  };

  test("by an address, whose path is the namespace", async () => {
    for (const path of ["", "/", "/app/one", "/app"]) {
      const client = await connect(`${server.address}${path}`);
      await client.kv.put("where", Buffer.from(path));
      await client.close();
    }
    for (const namespace of ["lockstep", "app", "app/one"]) expect((await keysIn(namespace)).length).toBe(1);
  });

  test("with a name and a password: nobody else sees or changes anything", async () => {
    const client = await connect(server.address.replace("://", "://me:s%3Acret@") + "/secret");
    await client.kv.put("a", Buffer.from("a"));
    await client.close();
    expect((await keysIn("secret", { username: "me", password: "s:cret" })).length).toBe(1);
    for (const credentials of [undefined, { username: "me", password: "wrong" }]) {
      await expect(keysIn("secret", credentials)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("password") as string,
      });
    }
  });

  test("tries all servers that are named", async () => {
    const endpoints = ["127.0.0.1:1", "127.0.0.1:2", `127.0.0.1:${server.port}`];
    for (let i = 0; i < 5; i++) {
      const store = await openZookeeperStore({ endpoints, namespace: "several" });
      await store.commit({ then: [put("a")] });
      await store.close();
    }
  });

  test("tells the times to live that the server allows", async () => {
    const store = await openZookeeperStore({ endpoints: [`127.0.0.1:${server.port}`] });
    expect(store.guarantees.ttl).toEqual({ minMs: 134, maxMs: 40_000, grainMs: 100 });
    await store.close();
  });

  test.each([
    ["zookeeper://", "no host"],
    ["zookeeper://h1/a//b", "namespace"],
    ["zookeeper://h1/zookeeper", "namespace"],
    ["zookeeper://h1?ca=x", "encrypted"],
    ["zookeepers://h1?ca=/nowhere/ca.pem", "/nowhere/ca.pem"],
    ["zookeeper://h1?color=blue", "color"],
  ])("refuses an address that makes no sense: %s", async (address, reason) => {
    await expect(connect(address)).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(reason) as string,
    });
  });

  test.each([[{}], [{ endpoints: [] }], [{ endpoints: ["h1"], port: 2181 }], [{ endpoints: ["h:x"] }]])(
    "refuses options that make no sense: %j",
    async (options) => {
      await expect(openZookeeperStore(options as never)).rejects.toMatchObject({ code: "bad-input" });
    },
  );
});

describeOn("zookeeper", "connecting to ZooKeeper by TLS", () => {
  test("needs an authority that vouches for the server", async () => {
    const folder = temporaryFolder("zookeeper-tls");
    const [key, cert, store] = ["server.key", "server.pem", "server.p12"].map((name) => join(folder, name));
    const openssl = (...args: string[]) => runProgram(program("openssl"), args);
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, "-keyout", key!, "-out", cert!);
    const password = "changeit";
    const inputs = ["-in", cert!, "-inkey", key!, "-out", store!, "-passout", `pass:${password}`];
    openssl("pkcs12", "-export", ...inputs);
    const server = await startZookeeper({ tls: { keyStore: store!, password } });
    try {
      const client = await connect(`${server.address}/tls?ca=${encodeURIComponent(cert!)}`);
      await using lock = await client.lock("a").acquire();
      expect(lock.isHeld).toBe(true);
      await client.close();
      const stranger = connect(server.address);
      await expect(stranger).rejects.toMatchObject({ code: "unavailable" });
    } finally {
      await server.stop();
      removeFolder(folder);
    }
  }, 60_000);
});
