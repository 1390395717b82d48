import { describe, expect, test } from "vitest";
import { readHistory, type FormatName } from "lockstep/check";
import { HistoryReader } from "../../src/check/formats/read-history.js";

describe("what makes no sense is refused with its line", () => {
  const call = '{"id":0,"client":"a","event":"invoke","name":"read"}\n';
  const invoke = "{:process 0 :type :invoke :f :read}\n";
  const logged = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n";

  test.each<[FormatName, string, string]>([
    ["json-lines", `${call}{"id":0,"ev`, "2: this is no JSON (.*); expected an object a line"],
    ["json-lines", `${call}[]`, "2: an array stands here; expected an object a line"],
    ["json-lines", `${call}{"id":0,"event":"done"}`, '2: the event is "done"; expected "invoke", "ok"'],
    ["json-lines", '{"client":1,"event":"invoke","name":"f"}', "1: the id is undefined; expected a string"],
    ["json-lines", '{"id":1,"event":"invoke","name":"f"}', "1: the client is undefined; expected a string"],
    ["json-lines", '{"id":1,"client":1,"event":"invoke"}', "1: the name is undefined; expected a string"],
    ["json-lines", call.replace("}", ',"args":1}'), "1: args is 1; expected an array"],
    ["json-lines", call.replace("}", ',"ms":"1"}'), '1: ms is "1"; expected a number'],
    ["json-lines", call.replace("}", ',"ms":1e999}'), "1: ms is Infinity; expected a number of"],
    ["json-lines", call.replace("0", "1e999"), "1: the id is Infinity; expected a string, or a number"],
    ["json-lines", call.replace("0", "9007199254740993"), "1: the id is .*, or a number that JSON does not"],
    ["json-lines", call.replace('"a"', "-7587866943018500001"), "1: the client is -7.*; expected a string"],
    ["json-lines", call.replace("}", ',"arg":[1]}'), '1: there is no field "arg" here; expected id, client'],
    ["json-lines", `${call}{"id":0,"event":"fail","result":1}`, '2: only "ok" has a result, not "fail"'],
    ["json-lines", `${call}{"id":1,"event":"ok"}`, "2: id 1 has no call open; expected the call before"],
    [
      "json-lines",
      `${call}\n${call}`,
      "3: id 0 calls again; expected the answer to its read of line 1 first",
    ],
    [
      "json-lines",
      `${call}{"id":0,"event":"ok","result":90071992547409930}`,
      "2: .*a number too long for JSON",
    ],
    [
      "json-lines",
      `${call}{"id":0,"event":"ok","result":{"$":"date"}}`,
      "2: a value has a tag that is not known",
    ],
    ["edn", `${invoke}{:process 0 :type :ok`, "2: the file ends in the middle of what begins here"],
    ["edn", `[${invoke}`, "2: the file ends before the bracket around all is closed"],
    ["edn", `[${invoke}]\n{}`, '3: "{" stands here; expected the end, after the last bracket'],
    ["edn", `${invoke}\nread`, '3: "r" stands here; expected an operation, in { }'],
    ["edn", "{:process 0 :type}", "1: this is no EDN: a map's last key has no value"],
    ["edn", "{:process 0 :process 1}", "1: this is no EDN: a map has the key process twice"],
    ["edn", "{:process 0 :type :invoke :f :write :value 1.2.3}", '1: this is no EDN: "1.2.3" is no value'],
    ["edn", '{:f "\\q"}', "1: this is no EDN: the string .* has an escape"],
    ["edn", "{:f [1)}", '1: this is no EDN: "\\)" stands where a value should'],
    ["edn", "{:f \\nul}", "1: this is no EDN: there is no character \\\\nul"],
    ["edn", '{:f #"a+"}', "1: this is no EDN: .* stands where a tag after # should"],
    ["edn", `{:f ${"[".repeat(300)}${"]".repeat(300)}}`, "1: this is no EDN: it nests deeper than"],
    ["edn", "{:process 7587866943018500001}", "1: the process is 7587866943018500001; expected an"],
    ["edn", "{:type :invoke :f :read}", "1: the process is missing; expected an integer"],
    [
      "edn",
      "{:process 0 :type :begin :f :read}",
      '1: the type is "begin"; expected :invoke, :ok, :fail or :info',
    ],
    ["edn", "{:process 0 :type :invoke}", "1: :f is undefined; expected the operation's name"],
    [
      "edn",
      "{:process 0 :type :invoke :f :cas :value 1}",
      "1: the value of cas is 1; expected such as \\[1 2\\]",
    ],
    ["edn", "{:process 0 :type :invoke :f :txn :value 1}", "1: the transaction is 1; expected such as"],
    [
      "edn",
      "{:process 0 :type :invoke :f :read :value [nil nil]}",
      "1: read is called with a pair; expected nil",
    ],
    [
      "edn",
      "{:process 0 :type :invoke :f :read :value [1 2]}",
      "1: read is called with a pair; expected nil",
    ],
    [
      "edn",
      "{:process 0 :type :invoke :value [[:r 1 nil] [:r 2 nil]]}\n{:process 0 :type :ok :value [[:r 1 3]]}",
      "2: the transaction answers an array; expected the 2 parts it called",
    ],
    ["edn", "{:process 0 :type :ok :f :read}", "1: process 0 has no call open"],
    [
      "edn",
      `${invoke}{:process 0 :type :ok :f :write}`,
      '2: process 0 answers "write"; expected the answer to its read',
    ],
    [
      "edn",
      `${invoke}${invoke}`,
      "2: process 0 calls again; expected the answer to its read of line 1 first",
    ],
    ["json", '[{"type":"invoke","f":"read","process":0},\n{"type"}]', "2: this is no JSON"],
    [
      "json",
      '{"process":0,"type":"invoke","f":"write","value":90071992547409930}',
      "1: a number is too long for JSON",
    ],
    ["json", '{"process":9007199254740993}', "1: the process is 9007.*; expected an integer that JSON"],
    [
      "json",
      '{"process":0,"type":"invoke","f":"read"}\n7',
      '2: "7" stands here; expected an operation, in { }',
    ],
    ["log", `${logged}and so on`, "2: this is no line of a log; expected such as"],
    ["log", "INFO  jepsen.util - 0\t:invoke\t:read", "1: the line is too short; expected a process"],
    ["log", "INFO  jepsen.util - 0\t:invoke\t:cas\t[1", "1: this is no EDN: \\] is missing; is it cut off"],
    [
      "log",
      "INFO  jepsen.util - 0\t:ok\t:read\t3 4",
      '1: this is no EDN: "4" stands after what should be all',
    ],
    ["json-lines", `${call}{"id":0,"event":"ok","result":1e400}`, "2: .*a number too long for JSON"],
    ["log", `${logged}${logged}`, "2: process 0 calls again"],
    ["sessions", "r x 1\nr x", '2: "r x" stands here; expected "r key value"'],
    ["sessions", "r x 1\nu x 2", '2: "u x 2" stands here'],
  ])("%s, %#", async (format, text, message) => {
    await expect(readHistory(text, { format, file: "f" })).rejects.toThrow(new RegExp(`^f:${message}`));
  });

  test.each<[FormatName, string, string]>([
    ["json-lines", call, '{"id":1,"client":"'],
    ["edn", invoke, '{:process 1 :f "'],
  ])("so is a text that goes on and on, %s", (format, before, begun) => {
    const reader = new HistoryReader({ format, file: "f" });
    reader.push(`${before}${begun}`);
    const piece = "x".repeat(2 ** 24);
    for (let count = 1; count < 8; count++) reader.push(piece);
    expect(() => reader.push(piece)).toThrow(
      "f:2: what begins here goes on for more than 134217728 characters",
    );
  });

  test("so is a text in no format at all, and one that is empty", async () => {
    await expect(readHistory("once upon a time")).rejects.toThrow(
      "history:1: it is in no format that is known; expected one of json-lines, edn",
    );
    await expect(readHistory(["", "\n"])).rejects.toThrow("history:1: there is nothing in it");
    await expect(readHistory("", { format: "xml" as FormatName })).rejects.toThrow(
      'there is no format "xml"',
    );
  });
});
