// Makes ready the servers that the tests start: what is missing is installed where that can be, as root on
// Debian; elsewhere it says what to install. It starts none of them.
import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { findProgram, servers, tools } from "./find-servers.mjs";

const packages = Object.values({ ...servers, ...tools }).flatMap((each) =>
  each.find() === undefined ? each.packages : [],
);

if (packages.length > 0) {
  const canInstall = process.getuid?.() === 0 && findProgram("apt-get") !== undefined;
  if (canInstall) install();
  const missing = Object.entries(servers).filter(([, { find }]) => find() === undefined);
  for (const [name, each] of missing) {
    console.log(`lockstep: ${name} is not installed, so what needs it will not run; to have it:`);
    console.log(`  apt-get install ${each.packages.join(" ")}`);
  }
  // Where it must be complete, a run without them would prove nothing.
  if (missing.length > 0 && process.env["CI"]) process.exit(1);
}

function install() {
  console.log(`lockstep: installing ${packages.join(" ")} ...`);
  withoutStarting(() => {
    // The lists of a fresh machine are often empty.
    if (aptGet("install", ...packages) || !aptGet("update")) return;
    aptGet("install", ...packages);
  });
}

/** @param {string[]} args */
function aptGet(...args) {
  const options = ["-y", "-qq", "--no-install-recommends"];
  const { status, stderr } = spawnSync("apt-get", [...args, ...options], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 300_000,
  });
  if (status !== 0) console.log(`lockstep: apt-get ${args[0]} failed: ${stderr.trim().slice(-500)}`);
  return status === 0;
}

/**
 * Debian asks this file whether to start a service that was just installed; 101 says no.
 *
 * @param {() => void} work
 */
function withoutStarting(work) {
  const policy = "/usr/sbin/policy-rc.d";
  const aside = `${policy}.lockstep`;
  if (existsSync(policy)) renameSync(policy, aside);
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    work();
  } finally {
    if (existsSync(aside)) renameSync(aside, policy);
    else rmSync(policy);
  }
}
