import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const takeTheClock =
  "Only src/base touches time and chance: take a Clock or a Random as an argument instead.";
const restrictedGlobals = ["Date", "performance", "setImmediate", "setInterval", "setTimeout"];
const restrictedModules = ["node:perf_hooks", "node:timers", "node:timers/promises"];
const restrictedProperties = [
  ["AbortSignal", "timeout"],
  ["Math", "random"],
  ["process", "hrtime"],
];

export default defineConfig(
  globalIgnores(["dist", "coverage", "bench/results", "test/browser/*.js"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],

      // TypeScript itself knows every name.
      "no-undef": "off",
      // A guard is there to be released, not to be read.
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", ignoreUsingDeclarations: true },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      // A caller's abort rethrows `signal.reason`, which may be anything.
      "@typescript-eslint/only-throw-error": [
        "error",
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      "@typescript-eslint/prefer-promise-reject-errors": [
        "error",
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      // An async method that does not wait still turns what it throws into a rejection.
      "@typescript-eslint/require-await": "off",
      // With noUncheckedIndexedAccess, `!` states an invariant that the compiler cannot see.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["src/**"],
    rules: {
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["src/**"],
    ignores: ["src/base/**", "src/cli/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        {
          globals: restrictedGlobals.map((name) => ({ name, message: takeTheClock })),
          checkGlobalObject: true,
        },
      ],
      "no-restricted-imports": [
        "error",
        { paths: restrictedModules.map((name) => ({ name, message: takeTheClock })) },
      ],
      "no-restricted-properties": [
        "error",
        ...restrictedProperties.map(([object, property]) => ({ object, property, message: takeTheClock })),
      ],
    },
  },
  {
    // JavaScript has no `as` to say what JSON holds.
    files: ["scripts/**"],
    rules: { "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  {
    // A suite is a list of cases, each of which takes apart what it is given.
    files: ["test/**", "src/conformance/**"],
    rules: { "@typescript-eslint/unbound-method": "off", "max-lines-per-function": "off" },
  },
);
