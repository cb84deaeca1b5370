/** A text area with numbered lines, at which errors are shown. */

import { h, put } from "../shared/dom.js";

let made = 0;

export class Editor {
  /** @param {string} label @param {string} text @param {{rows?: number, hint?: string}} [options] */
  constructor(label, text, { rows = 14, hint = "" } = {}) {
    const id = `editor-${(made += 1)}`;
    this.lines = h("div", { class: "numbers", "aria-hidden": "true" });
    this.errors = h("ul", { class: "errors", id: `${id}-errors`, role: "alert" });
    this.area = h("textarea", {
      id,
      rows,
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      wrap: "off",
      "aria-describedby": `${id}-errors`,
      oninput: () => this.changed(),
      onscroll: () => (this.lines.scrollTop = this.area.scrollTop),
    });
    this.area.value = text;
    this.element = h(
      "div",
      { class: "editor" },
      h("label", { for: id }, label),
      hint ? h("small", null, hint) : null,
      h("div", { class: "sheet" }, this.lines, this.area),
      this.errors,
    );
    this.clear();
  }

  get text() {
    return this.area.value;
  }

  changed() {
    const count = this.text.split("\n").length;
    if (count !== this.lines.childElementCount || this.errors.hasChildNodes()) this.clear();
  }

  /** Forget the errors. */
  clear() {
    put(this.errors);
    put(
      this.lines,
      this.text.split("\n").map((_, at) => h("div", null, at + 1)),
    );
    this.area.removeAttribute("aria-invalid");
  }

  /** Show an error at a line (from 1; 0: of the text as a whole). @param {string} message @param {number} line */
  complain(message, line) {
    const at = this.lines.children[line - 1];
    at?.classList.add("wrong");
    this.area.setAttribute("aria-invalid", "true");
    const go = h("button", { type: "button", class: "link", onclick: () => this.visit(line) }, `line ${line}`);
    this.errors.append(h("li", null, at ? go : null, at ? ": " : "", message));
  }

  /** @param {number} line */
  visit(line) {
    const lines = this.text.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + lines[line - 1].length);
    this.area.scrollTop = (this.area.scrollHeight * (line - 4)) / lines.length;
  }
}
