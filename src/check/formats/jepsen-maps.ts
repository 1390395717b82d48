import { shown } from "../../base/shown.js";
import { nothing, readEdn } from "./edn.js";
import { FormSplitter, type FormSyntax } from "./form-splitter.js";
import type { Format } from "./format.js";
import { JepsenEvents } from "./jepsen-events.js";
import type { Source } from "./source.js";
import { fromTagged } from "./tagged-value.js";

/** Jepsen's histories as it writes them: a map an event, one after the other or in one vector or list. */
export const edn: Format = {
  recognises: (head) => /^\s*(;[^\n]*\n\s*)*([[(]\s*)?(;[^\n]*\n\s*)*(#[^"\s]*\s*)?\{\s*[:}]/.test(head),
  read: (source) => readMaps(source, { isEdn: true }, (form) => readEdn(form, source)),
};

/** The same as JSON: an object an event, one after the other or in one array. */
export const json: Format = {
  recognises: (head) => /^\s*(\[\s*)?(\{\s*"|\])/.test(head),
  read: (source) => readMaps(source, { isEdn: false }, (form) => readJson(form, source)),
};

function readMaps(source: Source, syntax: FormSyntax, read: (form: string) => unknown) {
  const events = new JepsenEvents(source);
  const splitter = new FormSplitter(source, syntax, (form) => {
    const event = read(form);
    if (event === nothing) return;
    if (typeof event !== "object" || event === null || event instanceof Map || event instanceof Set) {
      throw source.malformed(`${shown(event)} stands here; expected a map with :process, :type and :f`);
    }
    events.add(event);
  });
  return {
    push: (piece: string) => splitter.push(piece),
    end: () => {
      splitter.end();
      return events.history();
    },
  };
}

function readJson(form: string, source: Source): unknown {
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(form) as Record<string, unknown>;
  } catch (error) {
    throw source.malformed(`this is no JSON (${(error as Error).message})`);
  }
  if (/\d{16}|\d[eE]/.test(form) && !fromTagged([event["value"], event["key"]])) {
    throw source.malformed("a number is too long for JSON to hold it; expected a string of it instead");
  }
  return event;
}
