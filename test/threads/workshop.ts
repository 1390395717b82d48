// Runs code in worker threads against the sources, as tests do: each source is turned to JavaScript once, in
// a folder that goes with the process, so that a worker starts at once and without the compiler.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = ["src/base", "src/sync", "src/threads", "test/threads"];
let workshop: string | undefined;

/** Starts `test/threads/<name>.ts` as a worker. */
export function startWorker(name: string, workerData: unknown): Worker {
  workshop ??= build();
  return new Worker(join(workshop, `test/threads/${name}.js`), { workerData });
}

function build(): string {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-threads-"));
  process.on("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const sources = folders.flatMap((each) => readdirSync(join(root, each)).map((name) => join(each, name)));
  for (const source of sources) {
    if (!source.endsWith(".ts") || source.endsWith(".test.ts") || source.endsWith("-d.ts")) continue;
    const target = join(folder, source.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, toJavaScript(join(root, source)));
  }
  return folder;
}

function toJavaScript(fileName: string): string {
  const { outputText } = ts.transpileModule(readFileSync(fileName, "utf8"), {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  });
  return outputText;
}
