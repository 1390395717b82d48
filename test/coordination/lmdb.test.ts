import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { groundAt } from "./recipes/grounds.js";
import { recipes } from "./recipes/suite.js";

recipes("lmdb", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lockstep-recipes-"));
  return groundAt(`lmdb:${directory}`, () => rm(directory, { recursive: true }));
});
