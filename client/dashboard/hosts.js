/** For operators: volunteers' hosts, and those of them that are blocked. */

import { h, put } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { ago, number } from "../shared/words.js";
import { block, unblock } from "./blocking.js";
import { field, pager, table } from "./parts.js";

const HOSTS = `query ($first: Int!, $after: String, $blocked: Boolean!, $addressGroup: String) {
  hosts(first: $first, after: $after, blocked: $blocked, addressGroup: $addressGroup) {
    pageInfo { hasNextPage endCursor }
    nodes { key name account addressGroup valid invalid failed seenAt block { kind host addressGroup reason } }
  }
}`;
const PAGE = 25;
const HEADS = ["host", "network", "valid", "not valid", "last result", "state", "action"];

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function hostsPage(main, { query, signal, go }) {
  document.title = "Hosts - comp-pool";
  const body = h("tbody");
  const network = h("input", { type: "search", value: query.get("network") ?? "", autocomplete: "off" });
  const blocked = h("input", { type: "checkbox", checked: query.has("blocked") });
  const read = async () => {
    const wanted = { blocked: blocked.checked, addressGroup: network.value.trim() || null };
    const { hosts } = await ask(HOSTS, { first: PAGE, after: turner.after, ...wanted }, signal);
    turner.show(hosts.pageInfo);
    put(
      body,
      hosts.nodes.map((/** @type {any} */ host) => row(host, read)),
    );
  };
  const turner = pager(read);
  const change = (/** @type {Event} */ event) => {
    event.preventDefault();
    go({ network: network.value.trim() || null, blocked: blocked.checked ? "yes" : null });
    turner.start();
    read();
  };
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Hosts")),
    h(
      "form",
      { class: "filters", onsubmit: change, onchange: change },
      field("network", network),
      h("label", null, blocked, " blocked only"),
    ),
    table(HEADS, body, "Hosts"),
    turner.element,
  );
  await read();
}

/** @param {any} host @param {() => Promise<void>} changed */
function row(host, changed) {
  const { key, name, account, addressGroup, valid, invalid, failed, seenAt } = host;
  const own = { host: key, addressGroup: null };
  const isBlocked = host.block?.host === key;
  const turn = async () => {
    if (await (isBlocked ? unblock(own) : block(own))) await changed();
  };
  const act = isBlocked ? "Unblock" : "Block";
  return h(
    "tr",
    null,
    h("td", null, name ?? "", h("span", { class: "soft mono" }, ` ${key}`), account && ` of ${account}`),
    h("td", { class: "mono" }, addressGroup),
    h("td", null, number(valid)),
    h("td", null, number(invalid + failed)),
    h("td", null, ago(seenAt)),
    h("td", null, host.block ? h("span", { class: "broken" }, state(host.block)) : "free"),
    h("td", null, h("button", { type: "button", onclick: turn, "aria-label": `${act} ${key}` }, act)),
  );
}

/** @param {{host: string | null, reason: string}} block */
const state = ({ host, reason }) => `${host ? "blocked" : "its network is blocked"}: ${reason}`;
