import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { LockstepError } from "../../base/errors.js";

/**
 * What tells this boot of the machine from every other. A boot ends all processes, and so all sessions.
 *
 * Linux publishes it in a file, macOS by sysctl. There is no portable substitute that a clock could not
 * spoil.
 */
export function bootId(): string {
  const linux = "/proc/sys/kernel/random/boot_id";
  try {
    const text = existsSync(linux)
      ? readFileSync(linux, "utf8")
      : execFileSync("sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" });
    const id = text.trim().toLowerCase().replaceAll("-", "");
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch (cause) {
    throw unknownBoot(cause);
  }
  throw unknownBoot();
}

function unknownBoot(cause?: unknown): LockstepError {
  return new LockstepError(
    "unsupported",
    "lmdb: cannot tell this boot of the machine from another, which it needs to know dead sessions by; " +
      "it works on Linux with /proc and on macOS",
    { cause },
  );
}
