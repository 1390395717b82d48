import type { Day } from "./day.js";
import * as clocks from "./clocks.js";
import * as networks from "./networks.js";
import * as pauses from "./pauses.js";
import * as queues from "./queues.js";
import * as servers from "./servers.js";
import * as watches from "./watches.js";

/** All of them, by their numbers. */
export const days: readonly Day[] = [clocks, networks, pauses, queues, servers, watches]
  .flatMap((theme): Day[] => Object.values(theme))
  .sort((a, b) => a.number - b.number);
