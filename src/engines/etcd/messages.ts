// What Lockstep needs of etcd's v3 API, with the names and numbers of etcd's own rpc.proto and kv.proto.
// Fields that are neither sent nor looked at are left out, for both sides skip what they do not know.
import { bytes, choice, flag, int64, many, maybe, message, one, text } from "./protobuf.js";
import type { Codec } from "./protobuf.js";

const header = message({ revision: one(3, int64), raftTerm: one(4, int64) });

const keyValue = message({
  key: one(1, bytes),
  createRevision: one(2, int64),
  modRevision: one(3, int64),
  value: one(5, bytes),
  /** 0 for a key without one. */
  lease: one(6, int64),
});
export type KeyValue = Read<typeof keyValue>;

/** One key; or with `rangeEnd` all keys from `key` up to there. */
export interface KeyRange {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
}

const rangeRequest = message({
  key: one(1, bytes),
  rangeEnd: one(2, bytes),
  limit: one(3, int64),
  /** Answered by the member that is asked, from the state that it has reached. */
  serializable: one(7, flag),
});
const putRequest = message({ key: one(1, bytes), value: one(2, bytes), lease: one(3, int64) });
const deleteRangeRequest = message({ key: one(1, bytes) });

const requestOp = message({
  requestRange: maybe(1, rangeRequest),
  requestPut: maybe(2, putRequest),
  requestDeleteRange: maybe(3, deleteRangeRequest),
});
export type RequestOp = Written<typeof requestOp>;

const responseOp = message({ responseRange: maybe(1, message({ kvs: many(2, keyValue) })) });

const compare = message({
  result: one(1, choice("EQUAL", "GREATER", "LESS")),
  target: one(2, choice("VERSION", "CREATE", "MOD")),
  key: one(3, bytes),
  createRevision: one(5, int64),
  modRevision: one(6, int64),
});
export type Compare = Written<typeof compare>;

const txnRequest = message({
  compare: many(1, compare),
  success: many(2, requestOp),
  failure: many(3, requestOp),
});
export type TxnRequest = Written<typeof txnRequest>;

const txnResponse = message({
  header: one(1, header),
  succeeded: one(2, flag),
  responses: many(3, responseOp),
});
export type TxnResponse = Read<typeof txnResponse>;

const watchRequest = message({
  createRequest: maybe(
    1,
    message({
      key: one(1, bytes),
      rangeEnd: one(2, bytes),
      startRevision: one(3, int64),
      watchId: one(7, int64),
    }),
  ),
  cancelRequest: maybe(2, message({ watchId: one(1, int64) })),
});
export type WatchRequest = Written<typeof watchRequest>;

const watchResponse = message({
  header: one(1, header),
  watchId: one(2, int64),
  created: one(3, flag),
  canceled: one(4, flag),
  /** Above 0 where what was to be told has been compacted. */
  compactRevision: one(5, int64),
  cancelReason: one(6, text),
  events: many(11, message({ type: one(1, choice("PUT", "DELETE")), kv: one(2, keyValue) })),
});
export type WatchResponse = Read<typeof watchResponse>;

const leaseId = message({ ID: one(1, int64) });

/** One thing that etcd can be asked. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: Codec<unknown, Request>;
  readonly response: Codec<Response, never>;
}

/** What Lockstep asks of etcd, by etcd's own names. */
export const protocol = {
  Txn: method("KV/Txn", txnRequest, txnResponse),
  Watch: method("Watch/Watch", watchRequest, watchResponse),
  LeaseGrant: method("Lease/LeaseGrant", message({ TTL: one(1, int64) }), message({ ID: one(2, int64) })),
  LeaseRevoke: method("Lease/LeaseRevoke", leaseId, message({})),
  LeaseKeepAlive: method(
    "Lease/LeaseKeepAlive",
    leaseId,
    /** The time to live is 0 for a lease that is no more. */
    message({ header: one(1, header), TTL: one(3, int64) }),
  ),
  LeaseTimeToLive: method("Lease/LeaseTimeToLive", leaseId, message({ TTL: one(3, int64) })),
  Authenticate: method(
    "Auth/Authenticate",
    message({ name: one(1, text), password: one(2, text) }),
    message({ token: one(2, text) }),
  ),
};

function method<Request, Response>(
  name: string,
  request: Codec<unknown, Request>,
  response: Codec<Response, never>,
): Method<Request, Response> {
  return { path: `/etcdserverpb.${name}`, request, response };
}

type Read<Message> = Message extends Codec<infer Found, never> ? Found : never;
type Written<Message> = Message extends Codec<unknown, infer Given> ? Given : never;
