import type { Model } from "../model.js";
import { bank, type BankOptions } from "./bank.js";
import { casRegister } from "./cas-register.js";
import { counter } from "./counter.js";
import { fencedMutex } from "./fenced-mutex.js";
import { keyValue } from "./key-value.js";
import { list } from "./list.js";
import { multiRegister } from "./multi-register.js";
import { mutex } from "./mutex.js";
import { queue } from "./queue.js";
import { register } from "./register.js";
import { semaphore } from "./semaphore.js";
import { set } from "./set.js";
import { stack } from "./stack.js";

const objects: Readonly<Record<string, (init?: unknown) => Model>> = {
  register: (init) => register({ init }),
  "cas-register": (init) => casRegister({ init }),
  "multi-register": (init) => multiRegister({ init }),
  kv: (init) => keyValue({ init }),
  set,
  list,
  queue,
  stack,
  counter,
  mutex,
  "fenced-mutex": fencedMutex,
  semaphore: (permits = 1) => semaphore(permits as number),
  bank: (options) => bank(options as BankOptions),
};

/** The names of the objects, as `objectNamed` knows them. */
export const objectNames: readonly string[] = Object.keys(objects);

/**
 * The object of that name, if there is one. `init` is what its registers or keys hold at the beginning, how
 * many permits a semaphore has, or which options a bank.
 */
export function objectNamed(name: string, init?: unknown): Model | undefined {
  return Object.hasOwn(objects, name) ? objects[name]!(init) : undefined;
}
