import { describeBy, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import type { Anomaly } from "../verdict.js";
import { inCallOrder } from "../in-call-order.js";

/** Somebody saw in a set what nobody added. */
export function elementFromNowhere(part: readonly Operation[], seen: Operation, element: Identity): Anomaly {
  const failed = part.find(({ name, args }) => name === "add" && Object.is(identity(args.at(-1)), element));
  const was =
    failed === undefined ? "nobody ever added that" : `${describeBy(failed)}, and nobody else added that`;
  return {
    name: "element from nowhere",
    explanation: `${describeBy(seen)}, but ${was}.`,
    operations: inCallOrder(failed === undefined ? [seen] : [seen, failed]),
  };
}
