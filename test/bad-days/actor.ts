// A party to a bad day in a process of its own, which may be frozen, killed, or lied to about the time. It
// does what its messages say: the name of a duty and its arguments.
import { connect } from "lockstep";
import { Duties } from "./duties.js";

export interface Order {
  readonly id: number;
  readonly duty: Exclude<keyof Duties, "close">;
  readonly args: readonly unknown[];
}

export interface Report {
  readonly id: number;
  readonly result?: unknown;
  /** The code of a LockstepError, or what else went wrong. */
  readonly error?: string;
}

const [address = "", ttlMs] = process.argv.slice(2);
const duties = new Duties(await connect(address, { ttlMs: Number(ttlMs) }));

process.on("message", (order: Order) => void obey(order));
process.on("disconnect", () => process.exit());
process.send?.({ id: 0 } satisfies Report);

async function obey({ id, duty, args }: Order): Promise<void> {
  try {
    const result = await (duties[duty] as (...args: readonly unknown[]) => unknown).call(duties, ...args);
    process.send?.({ id, result } satisfies Report);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    process.send?.({ id, error: code ?? message } satisfies Report);
  }
}
