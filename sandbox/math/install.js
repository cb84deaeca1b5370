// The last of the portable functions' scripts. `__math.install(Math)` puts them in the place of the engine's own: the script
// that comes next calls it, or doesn't where a job's policy asks for the engine's, and takes `__math` away.
(() => {
  "use strict";

  const { functions, compileWith } = /** @type {any} */ (globalThis).__math;
  const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

  /** Keeps each property's place and attributes. @param {any} target */
  const install = (target) => {
    const names = ownKeys(functions);
    for (let at = 0; at < names.length; at++) {
      const attributes = getOwnPropertyDescriptor(target, names[at]);
      defineProperty(target, names[at], { ...attributes, value: functions[names[at]] });
    }
  };

  Object.defineProperty(functions.hypot, "length", { value: 2, configurable: true });
  Object.defineProperty(globalThis, "__math", { value: { install, compileWith }, configurable: true });
})();
