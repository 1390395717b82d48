// Tries to open the store in the directory of its argument, and reports what came of it.
import { connect, type LockstepError } from "lockstep";

try {
  const ls = await connect(`lmdb:${process.argv[2] ?? ""}`);
  await ls.close();
  process.send?.({ code: "opened", message: "" });
} catch (error) {
  const { code, message } = error as LockstepError;
  process.send?.({ code, message });
}
process.disconnect();
