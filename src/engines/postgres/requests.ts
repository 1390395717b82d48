import { isLockstepError, LockstepError } from "../../base/errors.js";
import type { Query, Snapshot } from "../../store/change.js";
import { Line } from "./line.js";
import type { Server } from "./server.js";
import { plainQuery, snapshotOf, type Found, type Request } from "./wire.js";

/** What a query and its answer weigh, beside its values. */
const usualBytes = 256;

/** What a client asks of its server: what needs the lock of all commits, and apart what only reads. */
export class Requests {
  readonly #server: Server;
  readonly #line: Line<"transact" | "read">;

  constructor(server: Server) {
    this.#server = server;
    this.#line = new Line(async (kind, requests) => {
      return kind === "read" ? this.#readAll(requests) : ((await server.call(kind, requests)) as unknown[]);
    });
  }

  ask(request: Request): Promise<unknown> {
    return this.#line.ask("transact", request, weightOf(request));
  }

  /** As `ask`, for what does no harm if it was done though nobody knows. */
  async askHarmless(request: Request): Promise<unknown> {
    try {
      return await this.ask(request);
    } catch (error) {
      if (!isLockstepError(error, "unknown-outcome")) throw error;
      throw new LockstepError("unavailable", error.message, { cause: error.cause });
    }
  }

  async read(query: Query): Promise<Snapshot> {
    return (await this.#line.ask("read", plainQuery(query), usualBytes)) as Snapshot;
  }

  /** Ends what has expired. */
  async tidy(): Promise<void> {
    await this.askHarmless({ when: [], then: [] });
  }

  async #readAll(queries: readonly object[]): Promise<Snapshot[]> {
    for (;;) {
      const answer = (await this.#server.call("read", queries)) as [string, Found[]] | null;
      if (answer) return answer[1].map((found) => snapshotOf(BigInt(answer[0]), found));
      // Sessions have expired, or the server has crashed: that is a commit's business.
      await this.#server.call("transact", []);
    }
  }

  within<T>(awaited: Promise<T>): Promise<T> {
    return this.#server.within(awaited);
  }
}

function weightOf(request: Request): number {
  if (!("then" in request)) return usualBytes;
  return request.then.reduce((bytes: number, write) => {
    return bytes + usualBytes + ("value" in write ? (write.value as string).length : 0);
  }, usualBytes);
}
