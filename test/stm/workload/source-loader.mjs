// As test/simulation/source-loader.mjs, with the mistake of this folder that LOCKSTEP_STM_MISTAKE names.
import { register } from "node:module";
import { mistakes } from "./mistakes.mjs";

const asHooks = "?hooks";
// By that name they do not register themselves, which these go on to.
/** @type {unknown} */
const hooks = await import(new URL("../../simulation/source-loader.mjs?hooks", import.meta.url).href);
const sources = /** @type {typeof import("../../simulation/source-loader.mjs")} */ (hooks);
const root = new URL("../../../", import.meta.url);

if (!import.meta.url.endsWith(asHooks)) register(import.meta.url + asHooks);

const name = process.env["LOCKSTEP_STM_MISTAKE"];
const mistake = mistakes.find((each) => each.name === name);
if (name !== undefined && !mistake) throw new Error(`there is no mistake named ${name}`);

export const { resolve } = sources;

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  const isMistaken = mistake !== undefined && url === new URL(mistake.file, root).href;
  return isMistaken ? sources.loadMistaken(mistake, url) : sources.load(url, context, nextLoad);
}
