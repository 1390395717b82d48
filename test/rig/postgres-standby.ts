import { startPostgres } from "./postgres.js";
import { PrimaryAndStandby } from "./primary-and-standby.js";

/** A Postgres server with a streaming standby. */
export async function startPostgresStandby() {
  const primary = await startPostgres();
  return PrimaryAndStandby.of(
    primary,
    (port) => startPostgres({ follows: primary.address.replace(`:${primary.port}/`, `:${port}/`) }),
    (standby) => {
      standby.promote();
    },
  );
}
