import { LockstepError } from "../base/errors.js";

/** Where the servers of an engine are, and who asks them: what stands in its address. */
export interface ServerAddress {
  readonly scheme: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly endpoints: readonly Endpoint[];
  /** What follows the hosts, without its first slash. */
  readonly path: string;
  /** What follows the question mark. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface Endpoint {
  /** An IPv6 address stands here without its brackets. */
  readonly host: string;
  readonly port: number;
}

const shape =
  /^(?<scheme>[a-z]+):\/\/(?:(?<user>[^@/?]*)@)?(?<hosts>[^/?@]*)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/;
const endpointShape = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]+))(?::(?<port>\d{1,5}))?$/;

/**
 * Takes apart `scheme://user:password@host1:port1,host2/path?parameter=value`. Unlike a URL, it may name
 * several hosts.
 *
 * *Failure*: 'bad-input' for anything else, and for a parameter that is not among `known`. No error repeats
 * the password.
 */
export function parseServerAddress(
  address: string,
  { defaultPort, known = [] }: { readonly defaultPort: number; readonly known?: readonly string[] },
): ServerAddress {
  const groups = shape.exec(address)?.groups;
  if (!groups?.["scheme"]) throw fault(address, "it must look like scheme://host:port/path");
  const [username, password] = (groups["user"] ?? "").split(/:(.*)/s).map((part) => decoded(address, part));
  const parameters = new Map(new URLSearchParams(groups["query"] ?? ""));
  for (const name of parameters.keys()) {
    if (known.includes(name)) continue;
    const all = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw fault(address, `there is no parameter named ${JSON.stringify(name)}; ${all}`);
  }
  return {
    scheme: groups["scheme"],
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
    endpoints: (groups["hosts"] ?? "").split(",").map((text) => endpointOf(address, text, defaultPort)),
    path: decoded(address, groups["path"] ?? ""),
    parameters,
  };
}

function endpointOf(address: string, text: string, defaultPort: number): Endpoint {
  const groups = endpointShape.exec(text.trim())?.groups;
  const host = groups?.["six"] ?? groups?.["host"];
  const port = Number(groups?.["port"] ?? defaultPort);
  if (host === undefined || port < 1 || port > 65_535) {
    throw fault(address, `${JSON.stringify(text)} is no host, nor a host with a port`);
  }
  return { host, port };
}

function decoded(address: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault(address, "what follows a % in it must be two hexadecimal digits");
  }
}

function fault(address: string, reason: string): LockstepError {
  return new LockstepError(
    "bad-input",
    `cannot connect to ${JSON.stringify(withoutPassword(address))}: ${reason}`,
  );
}

/** The address as it may be shown to people. */
export function withoutPassword(address: string): string {
  return address.replace(/^([a-z]+:\/\/[^:@/]*):.*@/s, "$1:***@").replace(/([?&]password=)[^&]*/gi, "$1***");
}
