// Finds `**` and `**=` in a program that acorn has parsed, and replaces them by calls: see operator.js. Every token stays on its
// line. Whoever calls this has made sure that no job has patched what it uses.
(() => {
  "use strict";

  const { isArray } = Array;
  const { values } = Object;
  const { __math } = /** @type {any} */ (globalThis);

  /**
   * @typedef {any} Node As ESTree has it (https://github.com/estree/estree), with `start` and `end`, and with nodes for brackets
   *   (acorn's `preserveParens`).
   * @typedef {{from: number, to: number, text: string}} Edit
   */

  /** Every node that is a power or sets one. @param {Node} program @returns {Node[]} */
  const powersOf = (program) => {
    const powers = [];
    // Long sums are deep trees, so this does not call itself.
    const left = [program];
    while (left.length) {
      const node = left.pop();
      if ((node.type === "BinaryExpression" && node.operator === "**") || node.operator === "**=") powers.push(node);
      for (const value of values(node)) {
        if (typeof value?.type === "string") left.push(value);
        else if (isArray(value)) left.push(...value.filter((item) => typeof item?.type === "string"));
      }
    }
    return powers;
  };

  /** @param {Node} node */
  const withoutBrackets = (node) => {
    let inner = node;
    while (inner.type === "ParenthesizedExpression") inner = inner.expression;
    return inner;
  };

  /**
   * What reads a property and what sets it, in the text's own mode and scope: a private name, `super` and a silent failure stay
   * what they are.
   *
   * @param {string} source
   * @param {Node} target A MemberExpression.
   */
  const accessOf = (source, { object, property, computed }) => {
    const base = object.type === "Super" ? "super" : "o";
    const place = computed ? `${base}[k]` : `${base}.${source.slice(property.start, property.end)}`;
    return `(o, k) => ${place}, (o, k, v) => (${place} = v)`;
  };

  /**
   * @param {string} source
   * @param {Node} node
   * @returns {Edit[]}
   */
  const editsOf = (source, node) => {
    // Brackets around a target go, and comments between operands; the ends of their lines stay.
    const edit = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ text) => {
      return { from, to, text: text + source.slice(from, to).replace(/[^\n\r\u2028\u2029]+/g, "") };
    };
    const { left, right, start, end } = node;
    const closed = edit(end, end, ")");
    if (node.type === "BinaryExpression") {
      return [edit(start, start, " __power("), edit(left.end, right.start, ", "), closed];
    }
    const target = withoutBrackets(left);
    if (target.type === "Identifier") {
      const name = source.slice(target.start, target.end);
      return [edit(start, right.start, ` ${name} = __power(${name}, `), closed];
    }
    const { object, property, computed } = target;
    const opening = ` __power.set(__power.get(${accessOf(source, target)}, `;
    const objectEnd = object.type === "Super" ? object.start : object.end;
    const first = edit(start, object.start, object.type === "Super" ? `${opening}0` : opening);
    if (!computed) return [first, edit(objectEnd, right.start, "), "), closed];
    return [first, edit(objectEnd, property.start, ", ("), edit(property.end, right.start, ")), "), closed];
  };

  /**
   * The edits of a program, in their order.
   *
   * @param {string} source
   * @param {Node} program
   * @returns {Edit[]}
   */
  const rewritingOf = (source, program) =>
    powersOf(program)
      .flatMap((node) => editsOf(source, node))
      // What closes an operand comes before what follows it.
      .sort((a, b) => a.from - b.from || a.to - b.to);

  /**
   * A part of a source with the edits that are in it.
   *
   * @param {string} source
   * @param {Edit[]} edits
   * @param {number} from
   * @param {number} to
   */
  const edited = (source, edits, from, to) => {
    let text = "";
    let at = from;
    for (const edit of edits) {
      if (edit.from < from || edit.to > to) continue;
      text += source.slice(at, edit.from) + edit.text;
      at = edit.to;
    }
    return text + source.slice(at, to);
  };

  __math.rewritingOf = rewritingOf;
  __math.edited = edited;
})();
