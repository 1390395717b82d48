// Holds the lock named in the second argument in the store of the first, until it is ended from outside.
import { connect } from "lockstep";

const [directory = "", name = "", ttlMs = "10000"] = process.argv.slice(2);
const ls = await connect(`lmdb:${directory}`, { ttlMs: Number(ttlMs) });
const held = await ls.lock(name).acquire();
held.signal.addEventListener("abort", () => process.send?.({ lostAt: process.hrtime.bigint().toString() }));
process.send?.({ token: held.token.toString() });
setInterval(() => undefined, 1000);
