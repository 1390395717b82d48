import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

interface Manifest {
  name: string;
  exports: Record<string, string>;
}

/** `lockstep/…` means the sources here, so that a test needs no build. package.json says which there are. */
function sourceAliases() {
  const manifest = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as Manifest;
  return Object.entries(manifest.exports)
    .filter(([, target]) => target.endsWith(".js"))
    .map(([subpath, target]) => {
      const source = target.replace("./dist/", "./src/").replace(/\.js$/, ".ts");
      return {
        find: new RegExp(`^${manifest.name}${subpath.slice(1)}$`),
        replacement: fileURLToPath(new URL(source, import.meta.url)),
      };
    });
}

export default defineConfig({
  resolve: { alias: sourceAliases() },
  test: {
    include: ["test/**/*.test.ts"],
    // A process for each file: a test may block its thread, kill workers or load a native engine.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    typecheck: {
      enabled: true,
      include: ["test/**/*.test-d.ts"],
      // `npm run typecheck` reports these, for all files.
      ignoreSourceErrors: true,
    },
  },
});
