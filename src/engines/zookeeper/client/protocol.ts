import { JuteWriter, type JuteReader } from "./jute.js";

/** What a request asks for: those of ZooKeeper's operations that are used here. */
export const operation = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  ping: 11,
  check: 13,
  multi: 14,
  removeWatches: 18,
  createContainer: 19,
  multiRead: 22,
  auth: 100,
  addWatch: 106,
  closeSession: -11,
} as const;

export const fault = {
  ok: 0,
  /** Beside the operation of a multi that failed, these were not tried. */
  notTried: -2,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  sessionExpired: -112,
} as const;

/** What ZooKeeper knows of a node, as far as it matters here. */
export interface Stat {
  /** The transaction that made the node. */
  readonly created: bigint;
  /** The transaction that last wrote its data. */
  readonly modified: bigint;
  /** How often the data was written. It restarts when the node is made again. */
  readonly version: number;
  /** The session that the node vanishes with; 0 for none. */
  readonly owner: bigint;
  /** The transaction that last made or deleted a child; that of its own creation before that. */
  readonly childrenChanged: bigint;
}

export type NodeMode = "persistent" | "ephemeral" | "container";

/** One part of a multi: all of them are done, or none. */
export type NodeWrite =
  | { readonly kind: "create"; readonly path: string; readonly data: Uint8Array; readonly mode: NodeMode }
  | {
      readonly kind: "set";
      readonly path: string;
      readonly data: Uint8Array;
      readonly version: number;
    }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "check"; readonly path: string; readonly version: number };

/** One part of a multiRead: all of them see the same instant. */
export type NodeRead =
  { readonly kind: "data"; readonly path: string } | { readonly kind: "children"; readonly path: string };

/** What a read found; undefined where there is no such node. */
export type NodeFound =
  | { readonly kind: "data"; readonly data: Buffer; readonly stat: Stat }
  | { readonly kind: "children"; readonly names: readonly string[] }
  | undefined;

/** The version to give where any will do. */
export const anyVersion = -1;

/** Who may do what with the nodes that are made: everybody, or whoever has the same name and password. */
export interface Access {
  readonly scheme: "world" | "auth";
  readonly id: "anyone" | "";
}

const allPermissions = 31;
const flags: Record<NodeMode, number> = { persistent: 0, ephemeral: 1, container: 4 };
const endOfParts = -1;

export function multiRequest(writes: readonly NodeWrite[], access: Access): Buffer {
  const writer = new JuteWriter();
  for (const write of writes) {
    switch (write.kind) {
      case "create":
        // Only a container has an operation of its own; its flag alone would not do.
        partHeader(writer, write.mode === "container" ? operation.createContainer : operation.create);
        writer.string(write.path).buffer(write.data);
        writer.int(1).int(allPermissions).string(access.scheme).string(access.id);
        writer.int(flags[write.mode]);
        break;
      case "set":
        partHeader(writer, operation.setData).string(write.path).buffer(write.data).int(write.version);
        break;
      case "delete":
        partHeader(writer, operation.delete).string(write.path).int(anyVersion);
        break;
      case "check":
        partHeader(writer, operation.check).string(write.path).int(write.version);
        break;
    }
  }
  return lastHeader(writer).finish();
}

export function deleteRequest(path: string): Buffer {
  return new JuteWriter().string(path).int(anyVersion).finish();
}

/** Why a multi was not done, and at which of its parts; undefined when it was. */
export interface MultiFault {
  readonly index: number;
  readonly code: number;
}

export function multiFault(body: JuteReader): MultiFault | undefined {
  let failed: MultiFault | undefined;
  for (let index = 0; ; index++) {
    const type = body.int();
    const isLast = body.bool();
    body.int();
    if (isLast) return failed;
    // All parts are results, or all are errors; what a result holds beyond that is of no interest.
    if (type !== endOfParts) return undefined;
    const code = body.int();
    if (failed === undefined && code !== fault.ok && code !== fault.notTried) failed = { index, code };
  }
}

export function multiReadRequest(reads: readonly NodeRead[]): Buffer {
  const writer = new JuteWriter();
  for (const { kind, path } of reads) {
    partHeader(writer, kind === "data" ? operation.getData : operation.getChildren);
    writer.string(path).bool(false);
  }
  return lastHeader(writer).finish();
}

/**
 * What was found, in the order in which it was asked for. Throws the code of any fault but an absent node.
 */
export function multiReadFound(body: JuteReader): NodeFound[] {
  const found: NodeFound[] = [];
  for (;;) {
    const type = body.int();
    const isLast = body.bool();
    body.int();
    if (isLast) return found;
    if (type === operation.getData) {
      found.push({ kind: "data", data: body.buffer(), stat: statFrom(body) });
    } else if (type === operation.getChildren) {
      found.push({ kind: "children", names: body.strings() });
    } else {
      const code = body.int();
      if (code !== fault.noNode) throw new ServerFault(code);
      found.push(undefined);
    }
  }
}

/** The server refuses what was asked of it. */
export class ServerFault extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`the server answered with error ${code}`);
    this.code = code;
  }
}

function partHeader(writer: JuteWriter, type: number): JuteWriter {
  return writer.int(type).bool(false).int(-1);
}

function lastHeader(writer: JuteWriter): JuteWriter {
  return writer.int(endOfParts).bool(true).int(-1);
}

export function statFrom(reader: JuteReader): Stat {
  const created = reader.long();
  const modified = reader.long();
  // When by the server's wall clock: nothing to decide by.
  reader.long();
  reader.long();
  const version = reader.int();
  reader.int();
  reader.int();
  const owner = reader.long();
  reader.int();
  reader.int();
  return { created, modified, version, owner, childrenChanged: reader.long() };
}
