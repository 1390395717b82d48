// ZooKeeper as it is, to do behind a store's back what happens there seldom.
import { systemClock } from "lockstep/base";
import { Ensemble } from "../../src/engines/zookeeper/client/ensemble.js";
import {
  multiFault,
  multiRequest,
  operation,
  type NodeWrite,
} from "../../src/engines/zookeeper/client/protocol.js";
import { ServerSession } from "../../src/engines/zookeeper/client/server-session.js";

export interface BareClient {
  readonly link: ServerSession;
  /** Makes these writes all at once; resolves with the code of the fault, if there was one. */
  write(...writes: NodeWrite[]): Promise<number | undefined>;
}

export function bareClient(port: number): BareClient {
  const endpoints = [{ host: "127.0.0.1", port }];
  const ensemble = new Ensemble({ endpoints, tls: undefined, credentials: undefined, clock: systemClock });
  const link = new ServerSession(ensemble, { timeoutMs: 10_000, isKept: false });
  return {
    link,
    async write(...writes) {
      const wire = await link.ready();
      const request = multiRequest(writes, { scheme: "world", id: "anyone" });
      return multiFault((await wire.request("write", operation.multi, request)).body)?.code;
    },
  };
}
