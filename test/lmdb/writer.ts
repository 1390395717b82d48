// Writes numbered values as fast as it can, and says to a file what it does, until it is ended from outside:
// `writer.ts DIRECTORY NAME LOG`.
import { appendFileSync } from "node:fs";
import { connect } from "lockstep";
import { recorder } from "lockstep/check";

const [directory = "", name = "", log = ""] = process.argv.slice(2);
const ls = await connect(`lmdb:${directory}`);
const client = recorder({ write: (line) => appendFileSync(log, line) }).client(name);
for (let i = 0; ; i++) {
  const key = `${name}/${i % 50}`;
  await client.call("write", key, i, async () => {
    await ls.kv.put(key, `${i}:${"x".repeat(i % 3000)}`);
  });
  if (i === 0) process.send?.("ready");
}
