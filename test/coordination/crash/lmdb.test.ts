import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { crashes } from "./suite.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockstep-crash-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

crashes(() => `lmdb:${directory}`);
