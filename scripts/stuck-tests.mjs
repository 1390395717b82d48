// A reporter that ends a run in which a test file is stuck, and says which. Vitest's own time limits are
// timers in the process of the test: they never run when it is blocked, be it by a lock in shared memory.
import { spawnSync } from "node:child_process";

/** The slowest file takes a quarter of it on two cores. */
const longestMinutes = 6;

export default class StuckTests {
  /** @type {Map<string, { timer: NodeJS.Timeout, last: string }>} */
  #running = new Map();

  /** @param {import("vitest/node").TestModule} module */
  onTestModuleStart({ moduleId }) {
    const timer = setTimeout(() => this.#giveUp(moduleId), longestMinutes * 60_000);
    timer.unref();
    this.#running.set(moduleId, { timer, last: "none" });
  }

  /** @param {import("vitest/node").TestCase} test */
  onTestCaseResult({ module, fullName }) {
    const file = this.#running.get(module.moduleId);
    if (file) file.last = fullName;
  }

  /** @param {import("vitest/node").TestModule} module */
  onTestModuleEnd({ moduleId }) {
    clearTimeout(this.#running.get(moduleId)?.timer);
    this.#running.delete(moduleId);
  }

  /** @param {string} moduleId */
  #giveUp(moduleId) {
    const last = this.#running.get(moduleId)?.last;
    console.log(
      `\n${moduleId} is stuck: not over after ${longestMinutes} minutes. The last test that ended: ${last}`,
    );
    // Whoever is blocked does not hear that it should end.
    spawnSync("pkill", ["-KILL", "-P", String(process.pid)]);
    process.exit(1);
  }
}
