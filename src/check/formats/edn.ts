import type { Source } from "./source.js";
import { isExact } from "./tagged-value.js";

/** What is left of a form that was commented out with `#_`. */
export const nothing: unique symbol = Symbol("nothing");

const deepest = 200;
const integerPattern = /^[+-]?\d+N?$/;
const decimalPattern = /^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?$/;
const ratioPattern = /^[+-]?\d+\/\d+$/;
const symbolPattern = /^[^\d:"#^'`~@\\][^"\\^`~@]*$/;
const characters: Record<string, string> = {
  newline: "\n",
  return: "\r",
  space: " ",
  tab: "\t",
  formfeed: "\f",
  backspace: "\b",
};
const constants = new Map<string, unknown>([
  ["nil", null],
  ["true", true],
  ["false", false],
]);

/**
 * Reads one form of EDN, Clojure's notation. Keywords and symbols become their names, vectors and lists
 * arrays, maps objects (or a Map, if a key is no scalar), sets a Set, integers that are too long for a number
 * bigints; ratios, and decimals that a number does not hold, their text. Of a tagged form the tag is dropped.
 */
export function readEdn(text: string, source: Source): unknown {
  return new EdnReader(text, source).readAll();
}

class EdnReader {
  readonly #text: string;
  readonly #source: Source;
  #at = 0;
  #depth = 0;

  constructor(text: string, source: Source) {
    this.#text = text;
    this.#source = source;
  }

  readAll(): unknown {
    const value = this.#peek() === "" ? nothing : this.#form();
    if (this.#peek() !== "") throw this.#malformed(`${this.#shown()} stands after what should be all`);
    return value;
  }

  #form(): unknown {
    const char = this.#peek();
    switch (char) {
      case "":
        throw this.#malformed("it ends too early; is it cut off?");
      case "{":
        return this.#map();
      case "[":
        return this.#items("]");
      case "(":
        return this.#items(")");
      case '"':
        return this.#string();
      case "\\":
        return this.#character();
      case "#":
        return this.#dispatch();
      case ":":
        this.#at++;
        return this.#token("a keyword after the colon");
      default:
        return this.#atom();
    }
  }

  /** Up to the closing bracket. */
  #items(close: string): unknown[] {
    const items: unknown[] = [];
    if (++this.#depth > deepest) throw this.#malformed(`it nests deeper than ${deepest}`);
    this.#at++;
    for (let char = this.#peek(); char !== close; char = this.#peek()) {
      if (char === "") throw this.#malformed(`${close} is missing; is it cut off?`);
      const item = this.#form();
      if (item !== nothing) items.push(item);
    }
    this.#at++;
    this.#depth--;
    return items;
  }

  #map(): unknown {
    const items = this.#items("}");
    if (items.length % 2 === 1) throw this.#malformed("a map's last key has no value");
    const record: Record<string, unknown> = {};
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index];
      if (typeof key !== "string" && typeof key !== "number") return this.#mapOf(items);
      if (Object.hasOwn(record, key)) throw this.#malformed(`a map has the key ${key} twice`);
      if (key === "__proto__") return this.#mapOf(items);
      record[key] = items[index + 1];
    }
    return record;
  }

  #mapOf(items: readonly unknown[]): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1]);
    if (map.size * 2 !== items.length) throw this.#malformed("a map has one key twice");
    return map;
  }

  #string(): string {
    const start = this.#at;
    for (let at = start + 1; at < this.#text.length; at++) {
      const char = this.#text[at];
      if (char === "\\") at++;
      else if (char === '"') {
        this.#at = at + 1;
        return this.#unescaped(this.#text.slice(start, this.#at));
      }
    }
    throw this.#malformed('a string has no closing "; is it cut off?');
  }

  /** By way of JSON, whose escapes EDN shares; JSON alone minds newlines and tabs. */
  #unescaped(quoted: string): string {
    const line = /[\n\r\t]/.test(quoted) ? quoted.replaceAll(/[\n\r\t]/g, spelled) : quoted;
    try {
      return JSON.parse(line) as string;
    } catch {
      throw this.#malformed(`the string ${quoted} has an escape that EDN does not know`);
    }
  }

  #character(): string {
    // Whatever stands first belongs to it, a bracket as well.
    const first = String.fromCodePoint(this.#text.codePointAt(this.#at + 1) ?? 0x20);
    this.#at += 1 + first.length;
    const name = first + this.#word();
    if (name.length === first.length && first.trim() !== "") return first;
    const unicode = /^u([0-9a-fA-F]{4})$/.exec(name)?.[1];
    const character = unicode ? String.fromCharCode(parseInt(unicode, 16)) : characters[name];
    if (character === undefined) throw this.#malformed(`there is no character \\${name}`);
    return character;
  }

  #dispatch(): unknown {
    const next = this.#text[this.#at + 1] ?? "";
    if (next === "{") {
      this.#at++;
      return new Set(this.#items("}"));
    }
    this.#at++;
    if (next === "_") {
      this.#at++;
      this.#form();
      return nothing;
    }
    if (next === "#") {
      this.#at++;
      const name = this.#token("Inf, -Inf or NaN after ##");
      if (name === "Inf" || name === "-Inf") return name === "Inf" ? Infinity : -Infinity;
      if (name === "NaN") return NaN;
      throw this.#malformed(`##${name} is no number; there are ##Inf, ##-Inf and ##NaN`);
    }
    this.#token("a tag after #");
    return this.#form();
  }

  #atom(): unknown {
    const word = this.#token("a value");
    if (constants.has(word)) return constants.get(word);
    const number = Number(word.endsWith("N") ? word.slice(0, -1) : word);
    if (integerPattern.test(word)) {
      return Number.isSafeInteger(number) ? number : BigInt(word.replace(/^\+|N$/g, ""));
    }
    if (decimalPattern.test(word)) return decimal(word.replace(/^\+|M$/g, ""));
    if (ratioPattern.test(word) || symbolPattern.test(word)) return word;
    throw this.#malformed(`${JSON.stringify(word)} is no value of EDN`);
  }

  #token(expected: string): string {
    const word = this.#word();
    if (word === "") throw this.#malformed(`${this.#shown()} stands where ${expected} should`);
    return word;
  }

  #word(): string {
    const start = this.#at;
    while (!isDelimiter(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** The next character that says something; none at the end. */
  #peek(): string {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === ";") {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (char === undefined) return "";
      else if (char === " " || char === "," || char === "\n" || char === "\t" || char === "\r") this.#at++;
      else return char;
    }
  }

  #shown(): string {
    const char = this.#peek();
    return char === "" ? "the end" : JSON.stringify(char);
  }

  #malformed(what: string): Error {
    return this.#source.malformed(`this is no EDN: ${what}`);
  }
}

/** A number tells seventeen digits apart, and not more. */
function decimal(word: string): number | string {
  const number = Number(word);
  const digits = word.replace(/[eE].*|[-.]/g, "").replace(/^0+|0+$/g, "");
  if (digits === "") return number;
  return number !== 0 && digits.length <= 17 && isExact(number) ? number : word;
}

function spelled(white: string): string {
  return JSON.stringify(white).slice(1, -1);
}

/** What ends a word; the end of the text, which is NaN, as well. */
function isDelimiter(char: number): boolean {
  // From the space down, they are all white.
  if (!(char > 0x20)) return true;
  switch (char) {
    case 0x22: // "
    case 0x28: // (
    case 0x29: // )
    case 0x2c: // ,
    case 0x3b: // ;
    case 0x5b: // [
    case 0x5c: // \
    case 0x5d: // ]
    case 0x7b: // {
    case 0x7d: // }
      return true;
    default:
      return false;
  }
}
