// Opens and closes the store in the directory of its argument again and again, until it is ended from
// outside.
import { openLmdbStore } from "lockstep/lmdb";

process.send?.("begun");
for (;;) {
  const store = await openLmdbStore(process.argv[2] ?? "");
  await store.close();
}
