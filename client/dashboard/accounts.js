/** For operators: the accounts. */

import { h, put } from "../shared/dom.js";
import { PoolError, ask } from "../shared/graphql.js";
import { ago } from "../shared/words.js";
import { confirmed, field, pager, table } from "./parts.js";

const ACCOUNTS = `query ($first: Int!, $after: String) { accounts(first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { key name createdAt blockedAt approvedAt }
} }`;
const CREATE = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) {
  userErrors { message code field } } }`;
const BLOCK = `mutation ($input: BlockAccountInput!) { blockAccount(input: $input) { userErrors { message code } } }`;
const UNBLOCK = `mutation ($input: UnblockAccountInput!) { unblockAccount(input: $input) {
  userErrors { message code } } }`;
const APPROVE = `mutation ($input: ApproveAccountInput!) { approveAccount(input: $input) {
  userErrors { message code } } }`;
const PAGE = 25;
const HEADS = ["account", "made", "state", "tokens", "usage", "action"];

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function accountsPage(main, { signal }) {
  document.title = "Accounts - comp-pool";
  const body = h("tbody");
  const read = async () => {
    const { accounts } = await ask(ACCOUNTS, { first: PAGE, after: turner.after }, signal);
    turner.show(accounts.pageInfo);
    put(
      body,
      accounts.nodes.map((/** @type {any} */ account) => row(account, read)),
    );
  };
  const turner = pager(read);
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Accounts")),
    accountForm(read),
    table(HEADS, body, "Accounts"),
    turner.element,
  );
  await read();
}

/** @param {() => Promise<void>} made */
function accountForm(made) {
  const name = h("input", { required: true, maxlength: 100, autocomplete: "off" });
  const problem = h("p", { class: "broken", role: "alert" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const { userErrors } = (await ask(CREATE, { input: { name: name.value.trim() } })).createAccount;
    put(problem, userErrors[0]?.message);
    if (userErrors.length) return;
    name.value = "";
    await made();
  };
  return h(
    "form",
    { class: "filters", onsubmit: submit },
    field("name", name),
    h("button", { class: "main" }, "Make an account"),
    problem,
  );
}

/** @param {any} account @param {() => Promise<void>} changed */
function row(account, changed) {
  const { key, name, blockedAt, approvedAt } = account;
  const approve = async () => {
    if (!(await confirmed(`Approve ${name}?`, "Its jobs, and all that it submits, need no approval any more."))) return;
    const [problem] = (await ask(APPROVE, { input: { account: key } })).approveAccount.userErrors;
    if (problem) throw PoolError.of(problem);
    await changed();
  };
  const turn = async () => {
    const more = "Its tokens are refused, and whoever is signed in with it is not any more. Its jobs go on.";
    if (!blockedAt && !(await confirmed(`Block ${name}?`, more))) return;
    const answer = await ask(blockedAt ? UNBLOCK : BLOCK, { input: { account: key } });
    const [problem] = (answer.blockAccount ?? answer.unblockAccount).userErrors;
    if (problem) throw PoolError.of(problem);
    await changed();
  };
  const act = blockedAt ? "Unblock" : "Block";
  return h(
    "tr",
    null,
    h("td", null, name, h("span", { class: "soft mono" }, ` ${key}`)),
    h("td", null, ago(account.createdAt)),
    h(
      "td",
      null,
      blockedAt ? h("span", { class: "broken" }, `blocked ${ago(blockedAt)}`) : "active",
      approvedAt && ", approved",
    ),
    h("td", null, h("a", { href: `#/tokens?account=${encodeURIComponent(key)}` }, `Tokens of ${name}`)),
    h("td", null, h("a", { href: `#/usage?account=${encodeURIComponent(key)}` }, `Usage of ${name}`)),
    h(
      "td",
      null,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", onclick: turn, "aria-label": `${act} ${name}` }, act),
        approvedAt
          ? null
          : h("button", { type: "button", onclick: approve, "aria-label": `Approve ${name}` }, "Approve"),
      ),
    ),
  );
}
