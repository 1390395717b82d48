// Leads the election named in the second argument in the store of the first, until it is ended from outside.
import { connect } from "lockstep";

const [directory = "", name = ""] = process.argv.slice(2);
const ls = await connect(`lmdb:${directory}`, { ttlMs: 60_000 });
for await (const term of ls.election(name).campaign({ value: "me" })) {
  process.send?.({ token: term.token.toString() });
  await new Promise(() => setInterval(() => undefined, 1000));
}
