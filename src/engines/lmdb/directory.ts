import { accessSync, constants, mkdirSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LockstepError } from "../../base/errors.js";

/** File systems on which two hosts, or two kernels, may share the directory but not the memory map. */
const sharedFileSystems = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
  [0x564c, "NCP"],
  [0x5346414f, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x47504653, "GPFS"],
  [0x01021997, "9P"],
  [0x65735546, "FUSE"],
]);

/** The name of a file system that Lockstep's files must not be on, or undefined. */
export function sharedFileSystem(statfsType: number): string | undefined {
  return sharedFileSystems.get(statfsType >>> 0);
}

/** Makes the directory if need be, and refuses it, saying why, where it cannot serve. */
export function prepareDirectory(directory: unknown): string {
  if (typeof directory !== "string" || directory === "" || directory.includes("\0")) {
    throw new LockstepError("bad-input", 'lmdb: name a directory, as in "lmdb:./coordination"');
  }
  if (directory.startsWith("~") || /^\/\/(?!\/)/.test(directory)) {
    throw new LockstepError(
      "bad-input",
      `lmdb: ${directory} is no path as the system knows it; give "lmdb:./directory" or "lmdb:/a/directory"`,
    );
  }
  if (process.platform === "win32") {
    throw new LockstepError("unsupported", "lmdb: Windows is not supported; use a server engine there");
  }
  const path = resolve(directory);
  try {
    makeDirectory(path);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(path, cause);
  }
  const shared = sharedFileSystem(statfsSync(path).type);
  if (shared !== undefined) {
    throw new LockstepError(
      "unsupported",
      `lmdb: ${path} is on ${shared}, which other machines may share while the locks of LMDB do not reach ` +
        "them; choose a directory on a local disk, or a server engine for several machines",
    );
  }
  return path;
}

/** Step by step: on some file systems, such as /proc, Node's own recursion never ends. */
function makeDirectory(path: string): void {
  const isThere = () => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o770 });
  } catch (error) {
    // Another process may have been faster.
    if (!isThere()) throw error;
  }
}

/** The error of a directory or file that cannot be used, with what to do about it. */
export function unusable(path: string, cause: unknown): LockstepError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const remedies: Record<string, string> = {
    EACCES: "give this user permission to read and write it, or choose another directory",
    EPERM: "give this user permission to read and write it, or choose another directory",
    EROFS: "it is on a read-only file system; choose another directory",
    ENOSPC: "the disk is full; make room",
    EDQUOT: "the disk quota is used up; make room",
    ENOENT: "a part of the path cannot be made, or is a link that leads nowhere; choose another path",
    ENOTDIR: "a part of the path is not a directory; choose another path",
    EEXIST: "there is a file of that name; choose another path",
  };
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = remedies[code ?? ""] ?? "see the cause";
  return new LockstepError("unavailable", `lmdb: cannot use ${path}: ${remedy} (${reason})`, { cause });
}
