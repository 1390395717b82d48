// Locks on Postgres; a place is its connection string.
import { Pool } from "pg";
import { alone } from "./alone.js";
import { lockstepAt, type Contenders } from "../contender.js";

/** As many as want to hold or wait for a lock at once. */
const connections = 64;

export const contenders = {
  lockstep: lockstepAt,

  /** Session-level: each lock takes a connection, from when it is asked for until it is given back. */
  async "advisory locks"(address) {
    const pool = new Pool({ connectionString: address, max: connections });
    return {
      lock: (name) => async () => {
        const client = await pool.connect();
        // A statement with a name is prepared once for each connection.
        await client.query({
          name: "lock",
          text: "select pg_advisory_lock(hashtextextended($1, 0))",
          values: [name],
        });
        return async () => {
          await client.query({
            name: "unlock",
            text: "select pg_advisory_unlock(hashtextextended($1, 0))",
            values: [name],
          });
          client.release();
        };
      },
      close: () => pool.end(),
    };
  },
} satisfies Contenders;

export const subjects = alone(contenders);
