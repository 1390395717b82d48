import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Which of some processes has a connection from one port of this host to another, as Linux tells. */
export function connectionOwner(pids: readonly number[], from: number, to: number): number | undefined {
  const socket = socketOf(from, to);
  return socket === undefined ? undefined : pids.find((pid) => socketsOf(pid).includes(socket));
}

function socketOf(from: number, to: number): string | undefined {
  // Java speaks IPv4 through sockets of IPv6.
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n")) {
      const [, local = "", remote = "", , , , , , , inode] = line.trim().split(/\s+/);
      if (portOf(local) === from && portOf(remote) === to) return `socket:[${inode}]`;
    }
  }
  return undefined;
}

/** Of an address as the kernel writes it, in hexadecimal digits. */
function portOf(address: string): number {
  return parseInt(address.split(":")[1] ?? "", 16);
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        return []; // closed since
      }
    });
  } catch {
    return []; // ended since
  }
}
