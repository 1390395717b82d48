// Opens a store, a session and a watch; says so, waits until the server is silent, and closes what it opened.
import { setTimeout as sleep } from "node:timers/promises";
import { openEtcdStore } from "../../src/engines/etcd/index.js";

const store = await openEtcdStore({ endpoints: [process.argv[2] ?? ""] });
await store.openSession({ ttlMs: 60_000 });
const watch = store.watch("", { from: 0n });
watch.next().catch(() => undefined);
console.log("ready");
await sleep(500);
await store.close();
