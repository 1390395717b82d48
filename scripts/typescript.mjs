// Lets `node --import ./scripts/typescript.mjs some.ts` run TypeScript, `using` included, on Node 20: the
// compiler that is installed anyway turns each file to JavaScript as it is loaded. It adds nothing to the
// code, so that a benchmark measures what it says. `lockstep` itself is dist/, as it is for its users.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";

const asHooks = "?hooks";
// Node loads the hooks below in a thread of their own, once for each thread of the program.
const isHooks = import.meta.url.endsWith(asHooks);
// Loading the compiler takes longer than most programs that are run so: what it made is kept.
const kept = new URL("../node_modules/.cache/lockstep-typescript/", import.meta.url);

if (!isHooks) {
  process.setSourceMapsEnabled(true);
  register(import.meta.url + asHooks);
}

/** `./account.js` may be account.ts still: sources call each other as they will be called once built. */
/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
    return nextResolve(specifier.replace(/\.js$/, ".ts"), context);
  }
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  if (!isHooks || !url.endsWith(".ts")) return nextLoad(url, context);
  const source = await javascriptOf(fileURLToPath(url));
  return { format: "module", source, shortCircuit: true };
}

/** @param {string} fileName */
async function javascriptOf(fileName) {
  const text = await readFile(fileName, "utf8");
  const version = await readFile(new URL("../package-lock.json", import.meta.url));
  const key = createHash("sha256").update(`${fileName}\n${text}\n`).update(version).digest("hex");
  const file = new URL(`${key}.js`, kept);
  try {
    return await readFile(file, "utf8");
  } catch {
    const javascript = await compile(fileName, text);
    await keep(file, javascript).catch(() => undefined); // who may not write here compiles each time
    return javascript;
  }
}

/** @param {URL} file @param {string} javascript */
async function keep(file, javascript) {
  await mkdir(kept, { recursive: true });
  // Written aside, for another process may be reading.
  const aside = new URL(`${file.href}.${process.pid}.${performance.now()}`);
  await writeFile(aside, javascript);
  await rename(aside, file);
}

/** @param {string} fileName @param {string} text */
async function compile(fileName, text) {
  const { default: ts } = await import("typescript");
  const { outputText } = ts.transpileModule(text, {
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
