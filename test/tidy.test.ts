// The habits of this repository, as tests. A finding names the file and the line, and says what to do.
// Each rule comes with trees that break it, which prove that it bites.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** Texts by path; paths start at the root of the repository and use slashes. */
type Tree = Record<string, string>;
/** What to do about it, or nothing. */
type Advice = string | false | undefined;

interface Rule {
  habit: string;
  findings: (tree: Tree) => string[];
  breaks: Tree[];
  keeps?: Tree[];
}

const lineMax = 110;
const fileMax = 400;
const fileUsual = 300;
const functionUsual = 60;

/** What each room of src/ may import besides itself; the files directly in src/ are the room "top". */
const mayImport: Record<string, readonly string[]> = {
  base: [],
  sync: ["base"],
  store: ["base"],
  check: ["base"],
  explore: ["base", "sync", "store"],
  threads: ["base", "sync"],
  stm: ["base", "sync"],
  conformance: ["base", "store"],
  engines: ["base", "sync", "store"],
  coordination: ["base", "sync", "store"],
  transactions: ["base", "sync", "store"],
  consistency: ["base", "sync", "store"],
  simulation: ["base", "sync", "store", "check"],
  top: ["base", "sync", "store", "coordination", "engines"],
};
/** They import anything, and nothing else imports them. */
const doors = ["cli", "console"];

const timeAndChance = {
  names: ["Date", "performance", "setImmediate", "setInterval", "setTimeout"],
  members: ["AbortSignal.timeout", "Math.random", "process.hrtime"],
  modules: ["node:perf_hooks", "node:timers", "node:timers/promises"],
};

const grabBags = ["common", "helpers", "misc", "types", "util", "utils"];

const isSource = (path: string) => /^src\/.*\.ts$/.test(path);
const isCode = (path: string) => /^(src|test|bench|examples|scripts)\/.*\.(ts|js|mjs|sql|lua)$/.test(path);
const isIn = (path: string, ...rooms: string[]) => rooms.some((room) => path.startsWith(`src/${room}/`));
/** This file spells out what it forbids. */
const isElsewhere = (path: string) => path !== "test/tidy.test.ts";

const rules: Rule[] = [
  {
    habit: "imports follow the import rule",
    findings: eachNode(isSource, (node, path) => {
      const specifier = importedBy(node);
      return specifier !== undefined && objectionTo(path, specifier);
    }),
    breaks: [
      { "src/base/clock.ts": 'import { Mutex } from "../sync/mutex.js";' },
      { "src/coordination/lock.ts": 'import type { Memory } from "../engines/memory/index.js";' },
      { "src/engines/redis/index.ts": 'export * from "../memory/index.js";' },
      { "src/engines/redis/index.ts": 'const lock = await import("../../coordination/lock.js");' },
      { "src/check/history.ts": 'type Store = import("../store/store.js").Store;' },
      { "src/store/store.ts": 'export { run } from "../cli/run.js";' },
      { "src/sync/mutex.ts": 'import { connect } from "../connect.js";' },
      { "src/connect.ts": 'import { Saga } from "./transactions/saga.js";' },
      { "src/store/store.ts": 'import { nonce } from "lockstep/base";' },
      { "src/store/store.ts": 'import { seed } from "../../test/seed.js";' },
      { "src/attic/box.ts": 'import { nonce } from "../base/nonce.js";' },
    ],
    keeps: [
      { "src/engines/lmdb/index.ts": 'import "./lmdb.js"; import "../../store/store.js"; import "lmdb";' },
      { "src/cli/main.ts": 'import "../console/page.js"; import "../engines/lmdb/index.js";' },
      { "src/index.ts": 'export * from "./connect.js"; export * from "./engines/memory/index.js";' },
    ],
  },
  {
    habit: `no source file is longer than ${fileMax} lines`,
    findings: each(isSource, (_path, text) => [
      { line: fileMax + 1, advice: lengthOf(text) > fileMax && "split the file: it holds too many ideas" },
    ]),
    breaks: [{ "src/sync/mutex.ts": "\n".repeat(fileMax + 1) }],
    keeps: [{ "src/sync/mutex.ts": "\n".repeat(fileMax) }],
  },
  {
    habit: `four source files in five are at most ${fileUsual} lines`,
    findings: (tree) => {
      const files = Object.entries(tree).filter(([path]) => isSource(path));
      const long = files.filter(([, text]) => lengthOf(text) > fileUsual);
      if (long.length <= files.length * 0.2) return [];
      return long.map(
        ([path, text]) => `${path}:1: split some of these; this one has ${lengthOf(text)} lines`,
      );
    },
    breaks: [{ "src/sync/mutex.ts": "\n".repeat(fileUsual + 1) }],
  },
  {
    habit: `nine functions in ten are at most ${functionUsual} lines`,
    findings: (tree) => {
      const functions = Object.entries(tree)
        .filter(([path]) => isSource(path))
        .flatMap(functionsOf);
      const long = functions.filter(({ length }) => length > functionUsual);
      if (long.length <= functions.length * 0.1) return [];
      return long.map(({ at, length }) => `${at}: split some of these; this one has ${length} lines`);
    },
    breaks: [{ "src/sync/mutex.ts": `export const acquire = () => {${"\n".repeat(functionUsual)}};` }],
  },
  {
    habit: `no line is longer than ${lineMax} characters`,
    findings: eachLine(
      isCode,
      (line) => line.length > lineMax && `break the line of ${line.length} characters`,
    ),
    breaks: [{ "test/mutex.test.ts": `// ${"x".repeat(lineMax)}` }],
  },
  {
    habit: "files and folders are named in kebab-case",
    findings: eachName(
      isCode,
      (name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(name) && `rename ${name} in kebab-case`,
    ),
    breaks: [{ "src/sync/RwLock.ts": "" }, { "src/syncTools/lock.ts": "" }, { "scripts/rw_lock.mjs": "" }],
    keeps: [{ "test/sync/rw-lock.test-d.ts": "" }],
  },
  {
    habit: "nothing is named for being a grab bag",
    findings: eachName(
      isCode,
      (name) => grabBags.includes(name.replace(/\..*/, "")) && `name ${name} after the one thing it holds`,
    ),
    breaks: [{ "src/sync/utils.ts": "" }, { "test/helpers/clock.ts": "" }, { "src/store/types.ts": "" }],
  },
  {
    habit: "no interface is called I…, no class Abstract…",
    findings: eachNode(isCode, (node) => {
      if (ts.isInterfaceDeclaration(node) && /^I[A-Z]/.test(node.name.text)) {
        return `call ${node.name.text} what it is, without the I`;
      }
      if (ts.isClassDeclaration(node) && node.name && /^Abstract([A-Z]|$)/.test(node.name.text)) {
        return `say what ${node.name.text} has in common instead of Abstract, or pass that part in`;
      }
      return false;
    }),
    breaks: [
      { "src/store/store.ts": "export interface IStore {}" },
      { "src/store/store.ts": "export abstract class AbstractStore {}" },
    ],
    keeps: [{ "src/store/item.ts": "export interface Item {} export class Abstraction {}" }],
  },
  {
    habit: "every engine is run by the conformance suite",
    findings: (tree) => {
      const engines = Object.keys(tree).flatMap((path) => /^src\/engines\/([^/]+)\//.exec(path)?.[1] ?? []);
      return [...new Set(engines)].flatMap((engine) => {
        const path = `test/conformance/${engine}.test.ts`;
        const imported = nodesOf(path, tree[path] ?? "").map(({ node }) => importedBy(node));
        return ["lockstep/conformance", `lockstep/${engine}`]
          .filter((needed) => !imported.includes(needed))
          .map((needed) => `${path}:1: run the conformance suite on ${engine} here; import "${needed}"`);
      });
    },
    breaks: [
      { "src/engines/redis/index.ts": "" },
      { "src/engines/redis/index.ts": "", "test/conformance/redis.test.ts": 'import "lockstep/redis";' },
    ],
    keeps: [
      {
        "src/engines/redis/index.ts": "",
        "test/conformance/redis.test.ts": 'import "lockstep/redis"; import "lockstep/conformance";',
      },
    ],
  },
  {
    habit: "only src/base touches time and chance",
    findings: eachNode(
      (path) => isSource(path) && !isIn(path, "base", "cli"),
      (node) =>
        touchesTimeOrChance(node) && `take a Clock or a source of chance instead of ${node.getText()}`,
    ),
    breaks: [
      { "src/sync/limiter.ts": "const startedAt = Date.now();" },
      { "src/sync/limiter.ts": "setTimeout(() => undefined, 1);" },
      { "src/sync/limiter.ts": "const later = globalThis.setInterval;" },
      { "src/sync/limiter.ts": "const jitter = Math.random();" },
      { "src/sync/limiter.ts": "const signal = AbortSignal.timeout(1);" },
      { "src/sync/limiter.ts": "const [seconds] = process.hrtime();" },
      { "src/sync/limiter.ts": 'import { setTimeout as sleep } from "node:timers/promises";' },
    ],
    keeps: [
      {
        "src/sync/limiter.ts":
          "// Date.now()\nclock.performance({ Date: 1 }); interface Day { Date: number }",
      },
      { "src/base/clock.ts": "Date.now();", "src/cli/main.ts": "Date.now();" },
    ],
  },
  {
    habit: "only the command line and the console print",
    findings: eachNode(
      (path) => isSource(path) && !isIn(path, ...doors),
      (node) =>
        ts.isPropertyAccessExpression(node) &&
        node.expression.getText() === "console" &&
        "give it to the caller: an error, an event, a value",
    ),
    breaks: [{ "src/sync/mutex.ts": 'console.log("here");' }],
    keeps: [{ "src/cli/main.ts": 'console.log("here");' }],
  },
  {
    habit: "nothing is left to do",
    findings: eachLine(
      (path) => isCode(path) && isElsewhere(path),
      (line) => /\b(TODO|FIXME)\b/.test(line) && "do it, or write it up as an issue",
    ),
    breaks: [{ "src/sync/mutex.ts": "// TODO: be fair" }, { "test/mutex.test.ts": "// FIXME" }],
  },
  {
    habit: "every export of the package has a source file",
    findings: (tree) => {
      const manifest = JSON.parse(tree["package.json"] ?? "{}") as { exports?: Tree; bin?: Tree };
      return Object.entries({ ...manifest.exports, ...manifest.bin }).flatMap(([name, target]) => {
        const source = target.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts").replace(/^\.\//, "");
        return source in tree ? [] : [`package.json:1: write ${source} or drop "${name}"`];
      });
    },
    breaks: [
      { "package.json": '{ "exports": { "./sync": "./dist/sync/index.js" } }', "src/sync/mutex.ts": "" },
      { "package.json": '{ "bin": { "lockstep": "./dist/cli/main.js" } }' },
    ],
    keeps: [
      { "package.json": '{ "exports": { "./sync": "./dist/sync/index.js" } }', "src/sync/index.ts": "" },
    ],
  },
  {
    habit: "lock files hold no download address",
    findings: eachLine(
      (path) =>
        /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|\.npmrc)$/.test(path),
      (line) =>
        /"resolved"|\bregistry\b.*=|https?:\/\/\S+\.tgz/.test(line) &&
        "take the address out: npm config set omit-lockfile-registry-resolved true, then npm install",
    ),
    breaks: [
      { "package-lock.json": '"resolved": "https://packages.example/lmdb.tgz"' },
      { ".npmrc": "registry=https://packages.example/" },
    ],
    keeps: [{ "package-lock.json": '"url": "https://packages.example/sponsor"' }],
  },
  {
    habit: "no file names a folder of somebody's machine",
    findings: eachLine(
      isElsewhere,
      (line) =>
        /(?<![\w.~-])\/(home|root|Users|work)\//.test(line) &&
        "write a path relative to the repository, or take the folder as an argument",
    ),
    breaks: [
      { "docs/start.md": "cd /home/me/lockstep" },
      { "bench/main.ts": 'open("/work/lockstep/data");' },
    ],
    keeps: [{ "docs/start.md": "see docs/home/start.md and https://example.org/home/ and ./root/" }],
  },
];

describe("habits", () => {
  const repository = readTree();
  for (const { habit, findings } of rules) {
    test(habit, () => {
      const found = findings(repository);
      if (found.length > 0) expect.fail(`\n${found.join("\n")}\n`);
    });
  }
});

describe("each rule bites", () => {
  for (const { habit, findings, breaks, keeps = [] } of rules) {
    test(habit, () => {
      for (const tree of breaks) expect(findings(tree), JSON.stringify(tree)).not.toEqual([]);
      for (const tree of keeps) expect(findings(tree)).toEqual([]);
    });
  }
});

function objectionTo(path: string, specifier: string): string | undefined {
  if (/^lockstep(\/|$)/.test(specifier)) return "import the file itself: the package does not import itself";
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith("src/")) return `move ${target} into src/: what is published imports nothing else`;
  const from = roomOf(path);
  const to = roomOf(target);
  if (from === to || doors.includes(from)) return undefined;
  const allowed = mayImport[kindOf(from)];
  if (!allowed) return `give ${from} its place in the import rule, in ARCHITECTURE.md and in this test`;
  if (allowed.includes(kindOf(to))) return undefined;
  return `${from} may not import ${to}: move what they share to a room that both may import, or pass it in`;
}

/** `src/sync/mutex.ts` is in the room `sync`; each engine is a room of its own, such as `engines/redis`. */
function roomOf(path: string): string {
  return /^src\/(engines\/[^/]+|[^/]+)\//.exec(path)?.[1] ?? "top";
}

function kindOf(room: string): string {
  return room.startsWith("engines/") ? "engines" : room;
}

/** What the node imports, in any of the ways: import, export … from, import(…), import("…") in a type. */
function importedBy(node: ts.Node): string | undefined {
  if (!ts.isStringLiteral(node)) return undefined;
  const { parent } = node;
  const imports =
    ts.isImportDeclaration(parent) ||
    ts.isExportDeclaration(parent) ||
    (ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword) ||
    (ts.isLiteralTypeNode(parent) && ts.isImportTypeNode(parent.parent));
  return imports ? node.text : undefined;
}

function touchesTimeOrChance(node: ts.Node): boolean {
  const { names, members, modules } = timeAndChance;
  if (ts.isStringLiteral(node)) return modules.includes(node.text);
  if (ts.isPropertyAccessExpression(node)) {
    const ownsGlobals = node.expression.getText() === "globalThis";
    return members.includes(node.getText()) || (ownsGlobals && names.includes(node.name.text));
  }
  if (!ts.isIdentifier(node) || !names.includes(node.text)) return false;
  // A property or a declaration of that name is something else.
  return !("name" in node.parent && node.parent.name === node);
}

function functionsOf([path, text]: [string, string]): { at: string; length: number }[] {
  return nodesOf(path, text).flatMap(({ node, line }) => {
    const hasBody = ts.isFunctionLike(node) && "body" in node && node.body !== undefined;
    return hasBody ? [{ at: `${path}:${line}`, length: lengthOf(node.getText()) }] : [];
  });
}

type Where = (path: string) => boolean;

function eachName(applies: Where, look: (name: string) => Advice) {
  return each(applies, (path) => path.split("/").map((name) => ({ line: 1, advice: look(name) })));
}

function eachLine(applies: Where, look: (line: string) => Advice) {
  return each(applies, (_path, text) =>
    text.split("\n").map((line, index) => ({ line: index + 1, advice: look(line) })),
  );
}

function eachNode(applies: Where, look: (node: ts.Node, path: string) => Advice) {
  return each(
    (path) => applies(path) && path.endsWith(".ts"),
    (path, text) => nodesOf(path, text).map(({ node, line }) => ({ line, advice: look(node, path) })),
  );
}

function each(applies: Where, look: (path: string, text: string) => { line: number; advice: Advice }[]) {
  return (tree: Tree) =>
    Object.entries(tree)
      .filter(([path]) => applies(path))
      .flatMap(([path, text]) =>
        look(path, text).flatMap(({ line, advice }) => (advice ? [`${path}:${line}: ${advice}`] : [])),
      );
}

function nodesOf(path: string, text: string): { node: ts.Node; line: number }[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const nodes: { node: ts.Node; line: number }[] = [];
  const visit = (node: ts.Node) => {
    nodes.push({ node, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return nodes;
}

/** In lines; a newline at the very end starts no further one. */
function lengthOf(text: string): number {
  return text.replace(/\n$/, "").split("\n").length;
}

/** What the repository holds, save what is generated or not text. */
function readTree(folder = "."): Tree {
  const generated = [".git", "bench/results", "coverage", "dist"];
  const tree: Tree = {};
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (entry.name === "node_modules" || generated.includes(path)) continue;
    if (entry.isDirectory()) Object.assign(tree, readTree(path));
    if (!entry.isFile()) continue;
    const text = readFileSync(path, "utf8");
    if (!text.includes("\0")) tree[path] = text;
  }
  return tree;
}
