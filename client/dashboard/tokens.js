/** The tokens of the account that is signed in; for an operator of any (`?account=KEY`). */

import { h, put, say } from "../shared/dom.js";
import { PoolError, PoolRefused, ask } from "../shared/graphql.js";
import { ago, moment } from "../shared/words.js";
import { confirmed, field, pager, table } from "./parts.js";
import { viewer } from "./session.js";

const TOKENS = `tokens(first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { key name isSession scopes createdAt expiresAt usedAt revokedAt }
}`;
const OWN = `query ($first: Int!, $after: String) { viewer { account { key name ${TOKENS} } } }`;
const OF = `query ($first: Int!, $after: String, $key: String!) { account(key: $key) { key name ${TOKENS} } }`;
const CREATE = `mutation ($input: CreateTokenInput!) { createToken(input: $input) {
  text userErrors { message code field } } }`;
const REVOKE = `mutation ($input: RevokeTokenInput!) { revokeToken(input: $input) { userErrors { message code } } }`;
const PAGE = 25;
const DAY_MS = 86_400_000;
const LIVES = /** @type {const} */ ([
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["", "for ever"],
]);
const HEADS = ["token", "scopes", "made", "last used", "ends", "action"];

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function tokensPage(main, { query, signal }) {
  const user = await viewer();
  const key = query.get("account");
  document.title = "Tokens - comp-pool";
  if (!user.account) {
    put(main, h("h1", null, "Tokens"), h("p", { class: "card" }, h("a", { href: "#/sign-in" }, "Sign in first.")));
    return;
  }
  const body = h("tbody");
  const title = h("h1", null, "Tokens");
  const read = async () => {
    const page = { first: PAGE, after: turner.after };
    const data = key ? await ask(OF, { ...page, key }, signal) : await ask(OWN, page, signal);
    const account = key ? data.account : data.viewer.account;
    if (!account) throw new PoolRefused({ message: key ? `There is no account ${key}.` : "Nobody is signed in." });
    say(title, key ? `Tokens of ${account.name}` : "My tokens");
    turner.show(account.tokens.pageInfo);
    put(
      body,
      account.tokens.nodes.map((/** @type {any} */ token) => row(token, read)),
    );
  };
  const turner = pager(read);
  put(
    main,
    h("div", { class: "head" }, title),
    tokenForm(user.scopes, key, read),
    table(HEADS, body, "Tokens"),
    turner.element,
  );
  await read();
}

/**
 * @param {string[]} scopes Those that a token may have at most.
 * @param {string | null} account
 * @param {() => Promise<void>} made
 */
function tokenForm(scopes, account, made) {
  const name = h("input", { required: true, maxlength: 100, autocomplete: "off" });
  const life = h(
    "select",
    null,
    LIVES.map(([days, words]) => h("option", { value: days }, words)),
  );
  const boxes = scopes.map((scope) =>
    h("input", { type: "checkbox", value: scope, checked: scope === "SUBMIT" || scope === "READ" }),
  );
  const outcome = h("div", { role: "status" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const input = {
      name: name.value.trim(),
      scopes: boxes.filter((box) => box.checked).map((box) => box.value),
      expiresAt: life.value ? new Date(Date.now() + Number(life.value) * DAY_MS).toISOString() : null,
      account,
    };
    const { text, userErrors } = (await ask(CREATE, { input })).createToken;
    if (userErrors.length) {
      put(outcome, h("p", { class: "broken" }, userErrors[0].message));
      return;
    }
    put(outcome, h("p", null, "Keep this token: it is not shown again."), h("pre", { tabindex: 0 }, text));
    name.value = "";
    await made();
  };
  return h(
    "form",
    { class: "card", onsubmit: submit },
    h("h2", null, "Make a token"),
    h("div", { class: "filters" }, field("name", name), field("it ends after", life)),
    h(
      "fieldset",
      { class: "choices" },
      h("legend", null, "what it is good for"),
      boxes.map((box) => h("label", null, box, ` ${box.value.toLowerCase()}`)),
    ),
    h("div", { class: "actions" }, h("button", { class: "main" }, "Make it")),
    outcome,
  );
}

/** @param {any} token @param {() => Promise<void>} changed */
function row(token, changed) {
  const hasEnded = token.revokedAt || (token.expiresAt && Date.parse(token.expiresAt) <= Date.now());
  const revoke = async () => {
    const more = token.isSession
      ? "Whoever uses that browser has to sign in again."
      : "Programs that use it are refused.";
    if (!(await confirmed(`Revoke ${token.name} (${token.key})?`, more))) return;
    const [problem] = (await ask(REVOKE, { input: { token: token.key } })).revokeToken.userErrors;
    if (problem) throw PoolError.of(problem);
    await changed();
  };
  return h(
    "tr",
    null,
    h("td", null, token.isSession ? "session" : token.name, h("span", { class: "soft mono" }, ` ${token.key}`)),
    h("td", null, token.scopes.join(", ").toLowerCase()),
    h("td", null, ago(token.createdAt)),
    h("td", null, token.usedAt ? ago(token.usedAt) : "never"),
    h("td", null, token.revokedAt ? "revoked" : token.expiresAt ? moment(token.expiresAt) : "never"),
    h(
      "td",
      null,
      hasEnded
        ? ""
        : h("button", { type: "button", onclick: revoke, "aria-label": `Revoke ${token.name} ${token.key}` }, "Revoke"),
    ),
  );
}
