import { fileURLToPath } from "node:url";
import type * as grpcPackage from "@grpc/grpc-js";
import { LockstepError } from "../../base/errors.js";
import type {
  KeepAliveResponse,
  LeaseId,
  TxnRequest,
  TxnResponse,
  WatchRequest,
  WatchResponse,
} from "./messages.js";

export type Grpc = typeof grpcPackage;
/** One thing that etcd can be asked. */
export type Method<Request, Response> = grpcPackage.MethodDefinition<Request, Response>;

/** What Lockstep asks of etcd, by etcd's own names; see rpc.proto. */
export interface Protocol {
  readonly Txn: Method<TxnRequest, TxnResponse>;
  readonly Watch: Method<WatchRequest, WatchResponse>;
  readonly LeaseGrant: Method<{ readonly TTL: string }, LeaseId>;
  readonly LeaseRevoke: Method<LeaseId, object>;
  readonly LeaseKeepAlive: Method<LeaseId, KeepAliveResponse>;
  readonly LeaseTimeToLive: Method<LeaseId, { readonly TTL: string }>;
  readonly Authenticate: Method<
    { readonly name: string; readonly password: string },
    { readonly token: string }
  >;
}

/** Loads the client library, which is an optional peer, and with it the protocol. */
export async function loadProtocol(): Promise<{ grpc: Grpc; protocol: Protocol }> {
  const [grpc, loader] = await loadPeers();
  const path = fileURLToPath(new URL("rpc.proto", import.meta.url));
  const found = await loader.load(path, { longs: String, enums: String, defaults: true });
  const services = ["KV", "Watch", "Lease", "Auth"].map((name) => found[`etcdserverpb.${name}`]);
  return { grpc, protocol: Object.assign({}, ...services) as Protocol };
}

async function loadPeers() {
  try {
    return await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]);
  } catch (cause) {
    throw new LockstepError(
      "missing-peer",
      "etcd needs the packages @grpc/grpc-js and @grpc/proto-loader, which cannot be loaded; " +
        "install them with: npm install @grpc/grpc-js @grpc/proto-loader",
      { cause },
    );
  }
}
