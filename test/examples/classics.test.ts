// The classics are played as whoever reads them would play them, so they need a build, as their readers do.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = "examples/classics";

function play(example: string, ...rooms: string[]) {
  const command = ["--import", "./scripts/typescript.mjs", `${folder}/${example}`, ...rooms];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { lines: stdout.trimEnd().split("\n"), stderr, status };
}

const examples = readdirSync(new URL(folder, new URL("../../", import.meta.url))).filter(
  (name) => name.endsWith(".ts") && name !== "rooms.ts",
);

describe("each of the classics holds in both rooms", { timeout: 70_000 }, () => {
  expect(examples.length).toBe(4);
  test.each(examples)("%s", (example) => {
    const { lines, stderr, status } = play(example);
    expect({ stderr, status }, lines.join("\n")).toEqual({ stderr: "", status: 0 });
    expect(lines.at(-1)).toMatch(/^Held in one event loop and across threads: .+\.$/);
    expect(lines.length).toBe(4);
  });

  test("or in the one that is named", () => {
    const [first] = examples;
    expect(play(first!, "loop").lines.at(-1)).toMatch(/^Held in one event loop: /);
    expect(play(first!, "kitchen")).toMatchObject({ status: 64, lines: [""] });
  });
});
