// Lets some tasks wait for a lock that somebody else keeps, and says what processor time that took. It is
// plain JavaScript because what loads TypeScript is a thread of its own, whose tidying up would be counted as
// waiting.
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "lockstep";

const [name = "", directory = "", count = "0"] = process.argv.slice(2);
const acquire = await open();
for (let task = 0; task < Number(count); task++) {
  // Never granted, and called off by the end of the process.
  acquire().catch(() => undefined);
}

process.once("message", (/** @type {number} */ forMs) => {
  const before = process.cpuUsage();
  void sleep(forMs).then(() => {
    const { user, system } = process.cpuUsage(before);
    process.send?.((user + system) / 1000);
  });
});
process.once("disconnect", () => process.exit());
process.send?.("ready");

/** The same as in contenders.ts. @returns {Promise<() => Promise<unknown>>} */
async function open() {
  if (name === "lockstep") {
    const ls = await connect(`lmdb:${join(directory, name)}`);
    const lock = ls.lock("bench");
    return () => lock.acquire();
  }
  if (name === "proper-lockfile") {
    const require = createRequire(new URL("peers/package.json", import.meta.url));
    /** @type {import("./peers.js").ProperLockfile} */
    // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- what is required has no type
    const peer = require(name);
    const retries = { forever: true, factor: 1, minTimeout: 1, maxTimeout: 1 };
    return () => peer.lock(join(directory, "bench"), { realpath: false, retries });
  }
  return async () => undefined;
}
