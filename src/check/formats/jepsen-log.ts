import { nothing, readEdn } from "./edn.js";
import type { Format } from "./format.js";
import { JepsenEvents, type JepsenEvent } from "./jepsen-events.js";
import { LineSplitter } from "./line-splitter.js";
import type { Source } from "./source.js";

/**
 * What Jepsen logs while it runs: `INFO  jepsen.util - 3	:invoke	:cas	[1 2]`. What other parts of it log
 * stands between such lines, and is passed over.
 */
export const jepsenLog: Format = {
  recognises: (head) => /^\s*([A-Z]+\s|.*\sjepsen\.)/.test(head),
  read: (source) => {
    const events = new JepsenEvents(source);
    const splitter = new LineSplitter(source, (line) => readLine(line, source, events));
    return {
      push: (piece) => splitter.push(piece),
      end: () => {
        splitter.end();
        return events.history();
      },
    };
  },
};

const event = /^(\S+)\s+(:\S+)\s+(:\S+)\s+(\S.*)$/;
const logLine = /^[A-Z]+\s.*?\b([\w.]+) - (.*)$/;

function readLine(line: string, source: Source, events: JepsenEvents): void {
  const [, logger, message = ""] = logLine.exec(line.trimEnd()) ?? [];
  if (logger === undefined) {
    throw source.malformed(
      'this is no line of a log; expected such as "INFO  jepsen.util - 0\t:invoke\t:read\tnil"',
    );
  }
  if (logger !== "jepsen.util") return;
  const words = event.exec(message);
  if (!words) {
    throw source.malformed("the line is too short; expected a process, :type, :operation and a value");
  }
  const [who, kind, name, value] = words.slice(1).map((text) => readEdn(text, source));
  if (value === nothing) throw source.malformed("the value is missing; expected nil if there is none");
  const told: JepsenEvent = { process: who, type: kind, f: name, value };
  // It saw that the value was another, which its register then had: so do these logs tell it.
  if (kind === "fail" && name === "cas" && Array.isArray(value)) events.answer(who as number, told, false);
  else events.add(told);
}
