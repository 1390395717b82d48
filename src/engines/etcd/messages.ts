// What is said in rpc.proto, as the loaded protocol takes and gives it: 64-bit numbers are decimal strings.

export interface Header {
  readonly revision: string;
  readonly raftTerm: string;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly createRevision: string;
  readonly modRevision: string;
  readonly value: Buffer;
  /** "0" for a key without one. */
  readonly lease: string;
}

/** One key; or with `rangeEnd` all keys from `key` up to there. */
export interface KeyRange {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
}

export interface RangeRequest extends KeyRange {
  readonly limit?: string;
  /** Answered by the member that is asked, from the state that it has reached. */
  readonly serializable?: boolean;
}

export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: { readonly key: Buffer; readonly value: Uint8Array; readonly lease: string } }
  | { readonly requestDeleteRange: { readonly key: Buffer } };

export interface Compare {
  readonly key: Buffer;
  readonly result: "EQUAL" | "GREATER" | "LESS";
  readonly target: "CREATE" | "MOD";
  readonly createRevision?: string;
  readonly modRevision?: string;
}

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface RangeResponse {
  readonly kvs: readonly KeyValue[];
}

export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeResponse | null }[];
}

export type WatchRequest =
  | { readonly createRequest: KeyRange & { readonly startRevision: string; readonly watchId: string } }
  | { readonly cancelRequest: { readonly watchId: string } };

export interface WatchResponse {
  readonly header: Header;
  readonly watchId: string;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Above "0" where what was to be told has been compacted. */
  readonly compactRevision: string;
  readonly cancelReason: string;
  readonly events: readonly { readonly type: "PUT" | "DELETE"; readonly kv: KeyValue }[];
}

export interface LeaseId {
  readonly ID: string;
}

export interface KeepAliveResponse {
  readonly header: Header;
  /** "0" for a lease that is no more. */
  readonly TTL: string;
}
