// What a caller's editor says of a pool.
import { Pool, type Lease, type PoolHook, type PoolOptions } from "lockstep/sync";
import { assertType, expectTypeOf, test } from "vitest";

interface Connection {
  query(text: string): Promise<string[]>;
}

declare const connect: (signal: AbortSignal) => Promise<Connection>;
declare const pool: Pool<Connection>;
declare const lease: Lease<Connection>;

test("what it lends is what make makes, now or later", () => {
  expectTypeOf(new Pool({ make: connect, max: 1 })).toEqualTypeOf<Pool<Connection>>();
  expectTypeOf(new Pool({ make: () => new Map<string, number>(), max: 1 })).toEqualTypeOf<
    Pool<Map<string, number>>
  >();
  expectTypeOf<PoolOptions<Connection>["make"]>().parameter(0).toEqualTypeOf<AbortSignal>();
});

test("the hooks are given it", () => {
  new Pool({
    make: connect,
    check: (connection) => {
      expectTypeOf(connection).toEqualTypeOf<Connection>();
      return true;
    },
    recycle: (connection) => connection.query("ROLLBACK"),
    destroy: (connection) => connection.query("BYE"),
    onError: (error, hook) => {
      expectTypeOf(error).toBeUnknown();
      expectTypeOf(hook).toEqualTypeOf<PoolHook>();
    },
    max: 1,
  });
  // @ts-expect-error -- a check says true or false
  new Pool({ make: connect, check: () => undefined, max: 1 });
  // @ts-expect-error -- how many there may be is for the caller to say
  new Pool({ make: connect });
  // @ts-expect-error -- an option that nobody knows
  new Pool({ make: connect, max: 1, create: connect });
});

test("lending", () => {
  expectTypeOf(pool.acquire({ timeoutMs: 5 })).resolves.toEqualTypeOf<Lease<Connection>>();
  expectTypeOf(pool.tryAcquire()).toEqualTypeOf<Lease<Connection> | null>();
  expectTypeOf(lease.resource).toEqualTypeOf<Connection>();
  assertType<Disposable>(lease);
  assertType<AsyncDisposable>(pool);
  // @ts-expect-error -- what was lent is not to be put in
  lease.resource = { query: async () => [] };
  // @ts-expect-error -- trying never waits
  pool.tryAcquire({ timeoutMs: 5 });
  // @ts-expect-error -- a lease is given, not made
  assertType<new () => Lease<Connection>>(Pool);
});

test("run infers what the section returns, now or later", () => {
  expectTypeOf(pool.run((connection) => connection.query("SELECT 1"))).toEqualTypeOf<Promise<string[]>>();
  expectTypeOf(pool.run((_connection, itsLease) => itsLease)).toEqualTypeOf<Promise<Lease<Connection>>>();
  expectTypeOf(pool.run(() => 5, { signal: new AbortController().signal })).toEqualTypeOf<Promise<number>>();
});
