import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

interface Example {
  readonly name: string;
  readonly language: string;
  readonly code: string;
}

/** The fenced blocks of a page, each named by the line that it begins on. */
function examplesOf(page: string, text: string): Example[] {
  return [...text.matchAll(/^```(ts|sh)\n(.*?)^```$/gms)].map((found) => {
    const line = text.slice(0, found.index).split("\n").length;
    return { name: `${page}:${line}`, language: found[1] ?? "", code: found[2] ?? "" };
  });
}

/** A project that has installed this package, and nothing else. */
async function project(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "lockstep-docs-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, "node_modules", ".bin"), { recursive: true });
  await symlink(root, join(directory, "node_modules", "lockstep"));
  await symlink(join(root, "dist/cli/main.js"), join(directory, "node_modules", ".bin", "lockstep"));
  await writeFile(join(directory, "package.json"), JSON.stringify({ type: "module" }));
  return directory;
}

function javascriptOf(code: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

const docs = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md"));
const pages = ["README.md", ...docs.sort().map((name) => join("docs", name))];
const examples = await Promise.all(
  pages.map(async (page) => examplesOf(page, await readFile(join(root, page), "utf8"))),
);

const typescript = examples.flat().filter(({ language }) => language === "ts");

test("the examples have the types that they are shown with", { timeout: 60_000 }, async () => {
  const directory = await project();
  await symlink(join(root, "node_modules", "@types"), join(directory, "node_modules", "@types"));
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
    module: "NodeNext",
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  for (const { name, code } of typescript) {
    await writeFile(join(directory, `${name.replaceAll(/[/.:]/g, "-")}.ts`), code);
  }
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const done = await run(process.execPath, [tsc, "-p", directory]).catch((error: unknown) => error);
  expect(done).toMatchObject({ stdout: "" });
});

describe("the examples run as they stand", () => {
  expect(typescript.length).toBeGreaterThan(3);

  for (const { name, code } of typescript) {
    test(name, async () => {
      const directory = await project();
      await writeFile(join(directory, "example.js"), javascriptOf(code));
      const done = await run(process.execPath, ["example.js"], { cwd: directory, timeout: 15_000 });
      expect(done.stderr).toBe("");
    });
  }

  // Those that install, or start the test that is running, are run by whoever follows them.
  const shell = examples
    .flat()
    .filter(({ language, code }) => language === "sh" && code.includes("npx lockstep"));
  expect(shell.length).toBeGreaterThan(0);

  for (const { name, code } of shell.filter(({ name }) => name.startsWith("README"))) {
    test(name, async () => {
      const done = await run("sh", ["-e", "-c", code], { cwd: await project(), timeout: 30_000 });
      expect(done.stdout).toContain("token 1");
    });
  }
});
