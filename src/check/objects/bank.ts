import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { shown } from "../../base/shown.js";
import { describe, valueText, type Operation } from "../history.js";
import { identity } from "../identity.js";
import { refused, type Model } from "../model.js";
import { KnownCalls } from "./known-calls.js";

export interface BankOptions {
  /** What is on each account at the beginning; by default, what the first read says. */
  readonly accounts?: Readonly<Record<string, number>> | undefined;
  /** What is on all accounts together, by default 100, where it is not known what is on each. */
  readonly total?: number | undefined;
  /** Whether an account may be overdrawn; by default not. */
  readonly allowNegative?: boolean | undefined;
}

const calls = new KnownCalls(
  "bank",
  { read: [[]], transfer: [["from", "to", "amount"], ["{ from, to, amount }"]] },
  { takesKey: false },
);

/** Accounts on which there is 0 are left out. */
interface Balances {
  /** Whether these are the balances; else only what was added to them since the beginning. */
  readonly isKnown: boolean;
  readonly of: ReadonlyMap<string, number>;
}

/**
 * Accounts: `read() → { account: balance }` of all of them, `transfer(from, to, amount)` or
 * `transfer({ from, to, amount })`.
 */
export function bank(options: BankOptions = {}): Model<Balances> {
  checkOptions(options, ["accounts", "total", "allowNegative"]);
  const { accounts, total = 100, allowNegative = false } = options;
  if (accounts !== undefined) checkAccounts(accounts);
  if (typeof total !== "number" || !Number.isFinite(total)) {
    throw new LockstepError("bad-input", `total is what is on all accounts together, not ${shown(total)}`);
  }
  if (typeof allowNegative !== "boolean") {
    throw new LockstepError("bad-input", `allowNegative is true or false, not ${shown(allowNegative)}`);
  }
  const init = withoutZeros(Object.entries(accounts ?? {}));
  return {
    name: "bank",
    init: { isKnown: accounts !== undefined, of: init },
    step(balances, operation) {
      calls.first(operation);
      if (operation.name === "transfer") return transferred(balances, operation, allowNegative);
      if (operation.outcome === "unknown") return balances;
      const read = readBy(operation);
      if (balances.isKnown) return identity(read) === identity(balances.of) ? balances : refused;
      const values = [...read.values()];
      const isRight = values.reduce((sum, value) => sum + value, 0) === total;
      const isAllowed = allowNegative || values.every((value) => value >= 0);
      return isRight && isAllowed ? { isKnown: true, of: read } : refused;
    },
    callIdentity: (operation) => calls.identity(operation, operation.result ?? operation.outcome),
    effect: ({ name }) => (name === "read" && accounts !== undefined ? "reads" : undefined),
    show: ({ isKnown, of }) => (isKnown ? valueText(Object.fromEntries(of)) : "not known yet"),
  };
}

function checkAccounts(accounts: unknown): void {
  const isObject = typeof accounts === "object" && accounts !== null && !Array.isArray(accounts);
  if (isObject && Object.values(accounts).every((balance) => Number.isFinite(balance))) return;
  throw new LockstepError(
    "bad-input",
    `accounts says what is on each, as in { x: 10, y: 0 }; not so ${valueText(accounts)}`,
  );
}

function transferred(
  { isKnown, of }: Balances,
  operation: Operation,
  allowNegative: boolean,
): Balances | typeof refused {
  const { from, to, amount } = transferOf(operation);
  const left = (of.get(from) ?? 0) - amount;
  if (isKnown && left < 0 && !allowNegative) {
    return operation.outcome === "unknown" ? { isKnown, of } : refused;
  }
  const after = new Map(of).set(from, left);
  after.set(to, (after.get(to) ?? 0) + amount);
  return { isKnown, of: withoutZeros(after) };
}

function transferOf(operation: Operation): { from: string; to: string; amount: number } {
  const [first, second, third] = operation.args;
  const asked = operation.args.length === 3 ? { from: first, to: second, amount: third } : first;
  const { from, to, amount } = (asked ?? {}) as Partial<Record<string, unknown>>;
  const isComplete = from !== undefined && to !== undefined;
  if (!isComplete || typeof amount !== "number" || !Number.isFinite(amount)) {
    throw new LockstepError(
      "bad-input",
      `a bank transfers from one account to another a number; not so ${describe(operation)}`,
    );
  }
  return { from: nameOf(from), to: nameOf(to), amount };
}

function readBy(operation: Operation): ReadonlyMap<string, number> {
  const { result } = operation;
  if (typeof result === "object" && result !== null) {
    const entries = result instanceof Map ? [...result] : Object.entries(result);
    if (entries.every(([, balance]) => typeof balance === "number")) {
      return withoutZeros(entries.map(([account, balance]) => [nameOf(account), balance as number]));
    }
  }
  throw new LockstepError("bad-input", `a bank reads as { account: balance }; not so ${describe(operation)}`);
}

function nameOf(account: unknown): string {
  return typeof account === "string" ? account : valueText(account);
}

function withoutZeros(balances: Iterable<readonly [string, number]>): ReadonlyMap<string, number> {
  return new Map([...balances].filter(([, balance]) => balance !== 0));
}
