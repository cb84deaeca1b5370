/** JavaScript with its tokens in colours, and its lines numbered. */

import { h } from "../shared/dom.js";

const KEYWORDS =
  "async|await|break|case|catch|class|const|continue|default|delete|do|else|export|extends|false|finally|for|from|function|if|" +
  "import|in|instanceof|let|new|null|of|return|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|yield";

/** In the order in which they are tried. A regular expression stands where no value can have ended. */
const TOKENS = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))`,
    String.raw`(?<string>"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|\`(?:[^\`\\]|\\[\s\S])*\`?)`,
    String.raw`(?<regex>(?<=(?:^|[=(,:;!&|?{}\[+\-*%~^<>]|\breturn|\btypeof)\s*)\/(?![*/])(?:[^\/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*)`,
    String.raw`(?<number>\b0[xXbBoO][\da-fA-F_]+n?\b|\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?n?\b)`,
    String.raw`(?<keyword>\b(?:${KEYWORDS})\b(?!\s*:))`,
    String.raw`(?<call>[A-Za-z_$][\w$]*(?=\s*\())`,
    String.raw`(?<word>[A-Za-z_$][\w$]*)`,
  ].join("|"),
  "g",
);
const LONGEST = 200_000;

/**
 * The tokens of a source: each piece of text with its kind, empty for what has none.
 *
 * @param {string} source
 * @returns {{kind: string, text: string}[]}
 */
export function tokens(source) {
  if (source.length > LONGEST) return [{ kind: "", text: source }];
  const found = [];
  let end = 0;
  for (const match of source.matchAll(TOKENS)) {
    const [kind] = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined) ?? [""];
    if (match.index > end) found.push({ kind: "", text: source.slice(end, match.index) });
    found.push({ kind: kind === "word" ? "" : kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < source.length) found.push({ kind: "", text: source.slice(end) });
  return found;
}

/** A source as an element. @param {string} source */
export function highlighted(source) {
  const code = h(
    "code",
    null,
    tokens(source).map(({ kind, text }) => (kind ? h("span", { class: `js-${kind}` }, text) : text)),
  );
  const lines = source.split("\n").map((_, at) => at + 1);
  return h(
    "pre",
    { class: "source", tabindex: 0 },
    h("span", { class: "lines", "aria-hidden": "true" }, lines.join("\n")),
    code,
  );
}
