// Lets `node --import ./scripts/typescript.mjs some.ts` run TypeScript, `using` included, on Node 20: the
// compiler that is installed anyway turns each file to JavaScript as it is loaded. It adds nothing to the
// code, so that a benchmark measures what it says. `lockstep` itself is dist/, as it is for its users.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";

const asHooks = "?hooks";
// Node loads the hooks below in a thread of their own, where the compiler is loaded too, and only there.
const ts = import.meta.url.endsWith(asHooks) ? (await import("typescript")).default : undefined;

if (!ts) {
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
  if (!ts || !url.endsWith(".ts")) return nextLoad(url, context);
  const fileName = fileURLToPath(url);
  const { outputText } = ts.transpileModule(await readFile(fileName, "utf8"), {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  });
  return { format: "module", source: outputText, shortCircuit: true };
}
