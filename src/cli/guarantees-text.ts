import type { Guarantees } from "../store/guarantees.js";
import { formatDuration } from "./duration.js";

/** What an engine promises, for people: one line for each promise, its name and what it is worth here. */
export function guaranteesText(guarantees: Guarantees): [name: string, worth: string][] {
  return [
    ["reach", reaches[guarantees.reach]],
    ["reads", guarantees.linearizableReads ? "linearizable" : "may be of the past"],
    ["unbound keys", durabilities[guarantees.durable]],
    ["failover", guarantees.failoverLosesCommits ? "may lose the last commits" : "loses nothing"],
    ["fencing tokens", fences[guarantees.fence]],
    ["watches", `${watches[guarantees.watch]}, ${pushes[guarantees.push]}`],
    ["expiry", expiryText(guarantees)],
    ["a killed holder", guarantees.noticesDeath ? "is noticed at once" : "is noticed by its TTL"],
    ["time to live", ttlText(guarantees.ttl)],
    ["revisions", guarantees.revisions === "own" ? "of this store alone" : "of all that is on the server"],
    ["bound keys", bindings[guarantees.bindings]],
    ["one change", `at most ${guarantees.maxOperations.toLocaleString("en")} operations`],
    ["one value", `at most ${guarantees.maxValueBytes.toLocaleString("en")} bytes`],
  ];
}

const reaches = { process: "this process only", host: "one host", network: "many hosts" };

const durabilities = {
  no: "are in memory only",
  process: "survive a crash",
  power: "survive power loss",
  "as-configured": "survive what the server is set up to survive",
};

const fences = {
  monotonic: "always rise",
  "follows-clock-on-failover": "rise; across a failover as far as the servers' clocks agree",
  "regresses-on-failover": "may fall at a failover",
};

const watches = { log: "replay what was missed", resync: "begin with how things stand" };

const pushes = {
  view: "told each change, and shown what it leads to",
  data: "told each change",
  doorbell: "woken to look",
  poll: "look by themselves from time to time",
};

const bindings = {
  any: "to any live session",
  own: "to one session of the client itself in each change",
};

function ttlText({ minMs, maxMs, grainMs }: Guarantees["ttl"]): string {
  // The shortest one may be given as it is shown.
  const shortest = minMs < 1000 ? minMs : Math.ceil(minMs / 100) * 100;
  return `${formatDuration(shortest)} to ${formatDuration(maxMs)}, ${grainText(grainMs)}`;
}

function expiryText(guarantees: Guarantees): string {
  const { expiryClock, expiryMovesWithWallClock, failoverRestartsExpiry } = guarantees;
  const parts = [`by the ${expiryMovesWithWallClock ? "wall clock" : "clock"} of the ${expiryClock}`];
  if (failoverRestartsExpiry) parts.push("anew after a failover");
  return parts.join(", ");
}

function grainText(grainMs: number): string {
  return grainMs === 1 ? "to the millisecond" : `in steps of ${formatDuration(grainMs)}`;
}
