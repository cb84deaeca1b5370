// The last of the portable functions' scripts. It leaves `__math` for the script that comes next, which takes it away before any
// job's code runs, and calls neither function where a job's policy asks for the engine's own Math:
//
//   __math.install(Math)           puts the functions in the place of the engine's, with the same names, lengths and attributes,
//                                and Number.prototype.toString in its place
//   __math.compileWith(parser)     has `**` computed by them too, and comes last: see compiling.js
//
// exp, expm1, log, log1p, log2, log10, sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, asinh, acosh, atanh, pow, cbrt
// and hypot are replaced. ECMAScript defines the others exactly: abs, ceil, clz32, floor, fround, imul, max, min, round, sign,
// sqrt and trunc, and f16round and sumPrecise, which not every engine has. Math.random is another matter.
(() => {
  "use strict";

  const { functions, toString, compileWith } = /** @type {any} */ (globalThis).__math;
  const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

  const numbers = Number.prototype;

  /** Keeps each property's place and attributes. @param {any} target */
  const install = (target) => {
    const names = ownKeys(functions);
    for (let at = 0; at < names.length; at++) {
      const attributes = getOwnPropertyDescriptor(target, names[at]);
      defineProperty(target, names[at], { ...attributes, value: functions[names[at]] });
    }
    defineProperty(numbers, "toString", { value: toString });
  };

  Object.defineProperty(functions.hypot, "length", { value: 2, configurable: true });
  Object.defineProperty(globalThis, "__math", { value: { install, compileWith }, configurable: true });
})();
