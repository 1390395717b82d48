// Which servers this machine has for the tests, where they are, and how they are had: Debian's packages.
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** @typedef {"etcd" | "postgres" | "redis" | "zookeeper"} ServerName */
/** @typedef {{ packages: string[], find: () => string | undefined }} Server */

/** @type {Record<ServerName, Server>} */
export const servers = {
  etcd: { packages: ["etcd-server"], find: () => findProgram("etcd") },
  postgres: { packages: ["postgresql"], find: () => findProgram("postgres") },
  redis: {
    packages: ["redis-server"],
    find: () => findProgram("redis-server") ?? findProgram("valkey-server"),
  },
  zookeeper: {
    packages: ["zookeeper", "default-jre-headless"],
    find: () => (findProgram("java") === undefined ? undefined : ifThere("/usr/share/java/zookeeper.jar")),
  },
};

/**
 * What some tests need besides; without it they are reported as not run.
 *
 * @type {Record<string, Server>}
 */
export const tools = {
  pgbouncer: { packages: ["pgbouncer"], find: () => findProgram("pgbouncer") },
  faketime: { packages: ["libfaketime"], find: findFaketime },
  openssl: { packages: ["openssl"], find: () => findProgram("openssl") },
};

/** The path of a program, if it is installed. @param {string} name */
export function findProgram(name) {
  for (const folder of programFolders()) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
  }
  return undefined;
}

/** Debian keeps Postgres's programs in a folder for each version, and some others beside the PATH. */
function programFolders() {
  const versions = "/usr/lib/postgresql";
  const postgres = namesIn(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, "bin"));
  return [...postgres, ...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
}

/** The library that makes a process believe in another time. */
function findFaketime() {
  for (const folder of namesIn("/usr/lib")) {
    const path = join("/usr/lib", folder, "faketime", "libfaketime.so.1");
    if (existsSync(path)) return path;
  }
  return undefined;
}

/** @param {string} folder */
function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** @param {string} path */
function ifThere(path) {
  return existsSync(path) ? path : undefined;
}
