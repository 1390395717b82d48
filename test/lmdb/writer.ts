// Writes numbered values as fast as it can and reports each that was acknowledged, until it is ended from
// outside.
import { connect } from "lockstep";

const [directory = "", name = ""] = process.argv.slice(2);
const ls = await connect(`lmdb:${directory}`);
for (let i = 0; ; i++) {
  const verdict = await ls.kv.put(`${name}/${i % 50}`, `${i}:${"x".repeat(i % 3000)}`);
  process.send?.({ key: i % 50, i, revision: verdict.ok ? verdict.revision.toString() : "refused" });
}
