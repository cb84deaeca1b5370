/** What the account that is signed in has in the pool, beside its quotas; for an operator any account (`?account=KEY`). */

import { h, put } from "../shared/dom.js";
import { PoolRefused, ask } from "../shared/graphql.js";
import { bytes, number } from "../shared/words.js";
import { viewer } from "./session.js";

const USAGE = `usage { ${["storedBytes", "openVariables", "openFlows", "sandboxSeconds"]
  .map((name) => `${name} { used limit }`)
  .join(" ")} }`;
const OWN = `query { viewer { account { name ${USAGE} } } }`;
const OF = `query ($key: String!) { account(key: $key) { name ${USAGE} } }`;
/** Of a quota, from where on it is nearly used up. */
const NEARLY = 0.8;

/**
 * @typedef {{used: number, limit: number | null}} Quota
 * @typedef {"storedBytes" | "openVariables" | "openFlows" | "sandboxSeconds"} Name
 * @type {[Name, string, string, (value: number) => string][]}
 */
const SHOWN = [
  ["storedBytes", "Stored", "sources, variables, results and flows", bytes],
  ["openVariables", "Open variables", "variables, and jobs of flows, that are not finished", number],
  ["openFlows", "Open flows", "flows that have not ended", number],
  ["sandboxSeconds", "Sandbox", "processor time of your functions in the last minute", (value) => `${number(value)} s`],
];

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function usagePage(main, { query, signal }) {
  const user = await viewer();
  const key = query.get("account");
  document.title = "Usage - comp-pool";
  if (!user.account) {
    put(main, h("h1", null, "Usage"), h("p", { class: "card" }, h("a", { href: "#/sign-in" }, "Sign in first.")));
    return;
  }
  const account = key ? (await ask(OF, { key }, signal)).account : (await ask(OWN, {}, signal)).viewer.account;
  if (!account) throw new PoolRefused({ message: key ? `There is no account ${key}.` : "Nobody is signed in." });
  put(
    main,
    h("div", { class: "head" }, h("h1", null, key ? `Usage of ${account.name}` : "My usage")),
    h(
      "ul",
      { class: "card quotas", "aria-label": "Quotas" },
      SHOWN.map(([name, title, about, words]) => gauge(title, about, words, account.usage[name])),
    ),
  );
}

/**
 * How much of a quota is used, as words and as a meter.
 *
 * @param {string} title @param {string} about @param {(value: number) => string} words @param {Quota} quota
 */
function gauge(title, about, words, { used, limit }) {
  const said = limit === null ? `${words(used)}, of any amount` : `${words(used)} of ${words(limit)}`;
  const share = limit === null ? "" : ` (${Math.round((100 * used) / limit)} %)`;
  const isFull = limit !== null && used >= limit;
  const meter = limit !== null && {
    min: 0,
    max: limit,
    high: NEARLY * limit,
    optimum: 0,
    value: Math.min(used, limit),
    "aria-label": title,
    "aria-valuetext": said,
  };
  return h(
    "li",
    null,
    h("h2", null, title),
    h("p", null, h("strong", null, `${said}${share}`), isFull ? h("span", { class: "broken" }, " used up") : null),
    meter ? h("meter", meter) : null,
    h("p", { class: "soft" }, about),
  );
}
