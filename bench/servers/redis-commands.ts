import { Redis } from "ioredis";
import { contest } from "../contest.js";
import { showProgress, type Target } from "../report.js";
import type { Addition } from "./server-bench.js";

/** Commands for each acquisition, by name. */
type Commands = Readonly<Record<string, number>>;

/** Long enough: what is counted is no time. */
const countedMs = 3000;

/**
 * What each contender sends in a contest, from when it connects to its end. Redis tells of every command to
 * one who asks with MONITOR, and says which of them a script called; its own counts, `INFO commandstats`, mix
 * them. MONITOR slows the server, so these contests are others than those that are timed.
 */
export async function redisCommands(
  module: string,
  address: string,
  contenders: readonly string[],
): Promise<Addition> {
  const counted = new Map<string, Commands>();
  for (const name of contenders) {
    showProgress(`commands of ${name}`);
    counted.set(name, await commandsOf(module, name, address));
  }
  return {
    table: {
      title: "Contended: commands sent for each acquisition, without those that a script calls",
      head: ["", "all", "of which"],
      rows: [...counted].map(([name, commands]) => [name, total(commands).toFixed(2), inWords(commands)]),
    },
    targets: [target(counted)],
    figures: { commands: Object.fromEntries(counted) },
  };
}

async function commandsOf(module: string, name: string, address: string): Promise<Commands> {
  const redis = new Redis(address);
  const monitor = await redis.monitor();
  const counts = new Map<string, number>();
  monitor.on("monitor", (_time: string, [command = ""]: string[], source: string) => {
    if (source === "lua") return;
    const key = command.toLowerCase();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  const { sections } = await contest(module, name, address, countedMs);
  monitor.disconnect();
  redis.disconnect();
  return Object.fromEntries([...counts].map(([command, count]) => [command, count / sections]));
}

function total(commands: Commands): number {
  return Object.values(commands).reduce((sum, count) => sum + count, 0);
}

/** The most frequent first, without those of the beginning and the end. */
function inWords(commands: Commands): string {
  return Object.entries(commands)
    .filter(([, count]) => count >= 0.01)
    .sort(([, a], [, b]) => b - a)
    .map(([command, count]) => `${command} ${count.toFixed(2)}`)
    .join(", ");
}

function target(counted: ReadonlyMap<string, Commands>): Target {
  const ours = total(counted.get("lockstep")!);
  const peers = [...counted].filter(([name]) => name !== "lockstep").map(([, commands]) => total(commands));
  const fewest = Math.min(...peers);
  return {
    what: "commands for each acquisition, to any peer's",
    target: `< ${fewest.toFixed(2)}`,
    measured: ours.toFixed(2),
    isMet: ours < fewest,
  };
}
