import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { Ref } from "./ref.js";
import type { AnyTable } from "./rows-read.js";
import type { Space } from "./space.js";
import { Table } from "./table.js";

/** For who was given something that it cannot read or write. */
export function misfit(thing: unknown, space: Space, noun: string): LockstepError {
  const isOurs = thing instanceof Ref || thing instanceof Table;
  if (isOurs && (thing as Ref<unknown> | AnyTable).space !== space) {
    return new LockstepError(
      "misuse",
      `${thing.what} is of another space than what it was given to: one transaction changes one space`,
    );
  }
  return new LockstepError(
    "bad-input",
    `it needs a ${noun}, as ref(...) and table(...) make them, not ${shown(thing)}`,
  );
}
