import { join } from "node:path";
import { removeFolder, temporaryFolder } from "../rig/temporary-folder.js";
import { playDays } from "./play-days.js";

playDays({
  engine: "lmdb",
  ttlMs: 1000,
  async start() {
    const folder = temporaryFolder("bad-days");
    return {
      address: (namespace) => `lmdb:${join(folder, namespace)}`,
      stop: async () => {
        removeFolder(folder);
      },
    };
  },
});
