import type { Guarantees } from "lockstep/store";
import type { Ground } from "./ground.js";
import type { World } from "./world.js";

/** What a day needs to be played at all. */
export type Need =
  "clients" | "processes" | "network" | "server" | "own clock" | "server clock" | "cluster" | "quorum";

/**
 * One named bad day, written once for all engines. It throws where anything is not as it must be; who held
 * what, the witness judges when it is over.
 */
export interface Day {
  readonly number: number;
  readonly title: string;
  readonly needs: Need;
  /** It changes the server itself, so that no other day is played beside it. */
  readonly alone?: boolean;
  /**
   * The promise by whose lack two may hold the same lock for a while on this day, where an engine lacks it.
   * If they do so, the day must show that the fence tells them apart.
   */
  readonly limit?: (guarantees: Guarantees) => keyof Guarantees | undefined;
  play(world: World): Promise<void>;
}

export type Outcome =
  | { readonly is: "pass" }
  | { readonly is: "limit"; readonly of: keyof Guarantees }
  | { readonly is: "not applicable"; readonly why: string };

const noServer = "there is no server";
const oneServer = "there is no server that another could take over from";

/** Why a day cannot be played on an engine, if so: it follows from what the engine is. */
export function objection(
  { needs }: Day,
  { startCluster, startUnder }: Ground,
  { reach, failoverLosesCommits, expiryClock }: Guarantees,
): string | undefined {
  switch (needs) {
    case "clients":
      return undefined;
    case "processes":
      return reach === "process"
        ? "all who share the store live in one process, and stop with it"
        : undefined;
    case "network":
      return reach === "network" ? undefined : "there is no network between a client and its data";
    case "server":
      return reach === "network" ? undefined : noServer;
    case "own clock":
      return expiryClock === "server" ? undefined : "all clients live by one clock";
    case "server clock":
      if (reach !== "network") return noServer;
      return startUnder ? undefined : "it asks the kernel for the time, so it cannot be lied to alone";
    case "cluster":
      return startCluster ? undefined : oneServer;
    case "quorum":
      if (!startCluster) return oneServer;
      return failoverLosesCommits ? "one server decides alone, and asks no majority" : undefined;
  }
}
