// The other side of ./channel-thread.ts.
import { runInThisContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import * as base from "../../src/base/index.js";
import * as threads from "../../src/threads/index.js";
import { ThreadRecord } from "./thread-record.js";

const { step, argument } = workerData as { step: string; argument: unknown };
const run = runInThisContext(`(${step})`) as (library: unknown, argument: unknown) => unknown;
parentPort!.postMessage(await run({ ...base, ...threads, ThreadRecord }, argument));
