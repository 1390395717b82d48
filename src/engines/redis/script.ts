import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A script as the server knows it: by the hash of its text, once it has seen the text. */
export interface Script {
  readonly text: string;
  readonly hash: string;
}

const namespace = textOf("namespace.lua");

export const commitScript = script("commit.lua");
export const sessionScript = script("session.lua");

function script(file: string): Script {
  const text = namespace + textOf(file);
  return { text, hash: createHash("sha1").update(text).digest("hex") };
}

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), "utf8");
}
