// `node --import ./test/simulation/source-loader.mjs some.ts` runs TypeScript on the sources of this package,
// with the known mistake in them that LOCKSTEP_MISTAKE names, if any.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { mistaken, mistakes } from "./mistakes.mjs";

const asHooks = "?hooks";
// By that name it does not register its own hooks, which these go on to.
/** @type {unknown} */
const hooks = await import(new URL("../../scripts/typescript.mjs?hooks", import.meta.url).href);
const typescript = /** @type {typeof import("../../scripts/typescript.mjs")} */ (hooks);
const root = new URL("../../", import.meta.url);

if (!import.meta.url.endsWith(asHooks)) register(import.meta.url + asHooks);

const name = process.env["LOCKSTEP_MISTAKE"];
const mistake = mistakes.find((each) => each.name === name);
if (name !== undefined && !mistake) throw new Error(`there is no mistake named ${name}`);

/** `lockstep/…` means the sources. */
/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  const [, subpath] = /^lockstep(\/.*)?$/.exec(specifier) ?? [];
  if (subpath === undefined && specifier !== "lockstep") {
    return typescript.resolve(specifier, context, nextResolve);
  }
  /** @type {unknown} */
  const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8"));
  const { exports } = /** @type {{ exports: Record<string, string> }} */ (manifest);
  const target = exports[`.${subpath ?? ""}`];
  if (target === undefined) throw new Error(`the package does not export ${specifier}`);
  const source = target.replace("./dist/", "./src/").replace(/\.js$/, ".ts");
  return nextResolve(new URL(source, root).href, context);
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  const isMistaken = mistake !== undefined && url === new URL(mistake.file, root).href;
  return isMistaken ? loadMistaken(mistake, url) : typescript.load(url, context, nextLoad);
}

/**
 * The source with the mistake in it.
 *
 * @param {import("./mistakes.mjs").Change} mistake @param {string} url
 */
export async function loadMistaken(mistake, url) {
  const text = mistaken(mistake, await readFile(fileURLToPath(url), "utf8"));
  const { default: ts } = await import("typescript");
  const { outputText } = ts.transpileModule(text, {
    fileName: fileURLToPath(url),
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  return { format: /** @type {const} */ ("module"), source: outputText, shortCircuit: true };
}
