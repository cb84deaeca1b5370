// What `make check` asks of all JavaScript of the project; prettier sees to the form, tsc to the types.

import js from "@eslint/js";
import globals from "globals";

const scripts = { sourceType: "script" };

export default [
  // Written by `make reference`.
  { ignores: ["client/src/call-text.js"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-else-return": ["error", { allowElseIf: false }],
      "no-implicit-coercion": ["error", { boolean: true, number: true, string: true }],
      "no-lonely-if": "error",
      "no-self-compare": "error",
      "no-shadow": "error",
      "no-template-curly-in-string": "error",
      "no-unneeded-ternary": "error",
      "no-unused-expressions": ["error", { allowTernary: true }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "no-useless-computed-key": "error",
      "no-useless-rename": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-arrow-callback": "error",
      "prefer-const": "error",
      "prefer-object-spread": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["client/**", "tests/**"],
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
  },
  // Runs before all untrusted code, in every engine: it knows nothing but ECMAScript.
  { files: ["sandbox/**/*.js"], languageOptions: { ...scripts, globals: { HIDDEN: "readonly" } } },
  // As Math's own functions do, they refuse a BigInt, which Number(x) would not.
  { files: ["sandbox/math/*.js"], rules: { "no-implicit-coercion": ["error", { boolean: true, number: false }] } },
  { files: ["client/volunteer/worker.js", "client/src/legacy.cjs"], languageOptions: scripts },
  // Each is one function, which the pool calls.
  {
    files: ["**/demo/*.js"],
    languageOptions: scripts,
    rules: { "no-unused-vars": ["error", { vars: "local", args: "none" }] },
  },
];
