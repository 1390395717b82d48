import { shown } from "../../base/shown.js";
import type { Client } from "../history.js";
import type { Format } from "./format.js";
import { HistoryDraft } from "./history-draft.js";
import { LineSplitter } from "./line-splitter.js";
import type { Source } from "./source.js";
import { fromTagged, isExact } from "./tagged-value.js";

/** Lockstep's own: an event a line. */
export const jsonLines: Format = {
  recognises: (head) => /^\s*\{[^\n]*"event"\s*:/.test(head),
  read: (source) => {
    const draft = new HistoryDraft(source, "id");
    const splitter = new LineSplitter(source, (line) => readEvent(line, source, draft));
    return {
      push: (piece) => splitter.push(piece),
      end: () => {
        splitter.end();
        return draft.history();
      },
    };
  },
};

/** What a line may say, once it is known to be an object. */
interface EventLine {
  id?: unknown;
  client?: unknown;
  event?: unknown;
  name?: unknown;
  args?: unknown;
  result?: unknown;
  ms?: unknown;
}

const inCall = ["id", "client", "event", "name", "args", "ms"];
const inAnswer = ["id", "event", "result", "ms"];

function readEvent(line: string, source: Source, draft: HistoryDraft): void {
  const event = parsed(line, source);
  const { id, event: kind, ms } = event;
  if (!isClient(id)) throw source.malformed(`the id is ${shown(id)}; expected ${aClient}`);
  if (ms !== undefined && (typeof ms !== "number" || !Number.isFinite(ms))) {
    throw source.malformed(`ms is ${shown(ms)}; expected a number of milliseconds`);
  }
  const exact = mayNeedCare(line) ? careful(event, source) : event;
  switch (kind) {
    case "invoke": {
      checkFields(event, inCall, source);
      const { client, name } = event;
      const { args = [] } = exact;
      if (!isClient(client)) throw source.malformed(`the client is ${shown(client)}; expected ${aClient}`);
      if (typeof name !== "string" || name === "")
        throw source.malformed(`the name is ${shown(name)}; expected a string`);
      if (!Array.isArray(args)) throw source.malformed(`args is ${shown(args)}; expected an array`);
      draft.call(id, client, name, args, ms);
      break;
    }
    case "ok":
    case "fail":
    case "unknown":
      checkFields(event, inAnswer, source);
      if (kind !== "ok" && "result" in event) throw source.malformed(`only "ok" has a result, not "${kind}"`);
      draft.answer(id, kind, exact.result, ms);
      break;
    default:
      throw source.malformed(`the event is ${shown(kind)}; expected "invoke", "ok", "fail" or "unknown"`);
  }
}

function parsed(line: string, source: Source): EventLine {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw source.malformed(`this is no JSON (${(error as Error).message}); expected an object a line`);
  }
  if (typeof event === "object" && event !== null && !Array.isArray(event)) return event;
  throw source.malformed(`${shown(event)} stands here; expected an object a line, with an "event"`);
}

/** A field that nobody reads is most likely a slip, and what it was to say is missing. */
function checkFields(event: object, known: readonly string[], source: Source): void {
  for (const field in event) {
    if (known.includes(field)) continue;
    throw source.malformed(`there is no field "${field}" here; expected ${known.join(", ")}`);
  }
}

/** Most lines hold neither a tag nor a number so long that JSON.parse may have rounded it. */
function mayNeedCare(line: string): boolean {
  return line.includes('"$"') || /\d{16}|\d[eE]/.test(line);
}

function careful({ args, result }: EventLine, source: Source): EventLine {
  const exact = fromTagged({ args, result });
  if (exact) return exact.value as EventLine;
  throw source.malformed(
    "a value has a tag that is not known, or a number too long for JSON; " +
      'expected such as {"$":"bigint","is":"12345678901234567890"}',
  );
}

const aClient = "a string, or a number that JSON does not round";

function isClient(value: unknown): value is Client {
  return typeof value === "string" || (typeof value === "number" && isExact(value));
}
