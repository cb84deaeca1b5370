/** For operators: the hosts and networks that are blocked. */

import { h, put } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { ago, moment } from "../shared/words.js";
import { block, unblock } from "./blocking.js";
import { field, pager, table } from "./parts.js";

const BLOCKS = `query ($first: Int!, $after: String) { blocks(first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { host addressGroup reason account createdAt expiresAt }
} }`;
const PAGE = 25;

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function blocksPage(main, { signal }) {
  document.title = "Blocks - comp-pool";
  const body = h("tbody");
  const none = h("p", { class: "soft", role: "status" });
  const read = async () => {
    const { blocks } = await ask(BLOCKS, { first: PAGE, after: turner.after }, signal);
    turner.show(blocks.pageInfo);
    put(
      body,
      blocks.nodes.map((/** @type {any} */ each) => row(each, read)),
    );
    put(none, blocks.nodes.length ? null : "Nobody is blocked.");
  };
  const turner = pager(read);
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Blocks")),
    networkForm(read),
    table(["what", "reason", "by", "since", "until", "action"], body, "Blocks"),
    none,
    turner.element,
  );
  await read();
}

/** @param {() => Promise<void>} made */
function networkForm(made) {
  const network = h("input", { required: true, maxlength: 100, autocomplete: "off" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!(await block({ host: null, addressGroup: network.value.trim() }))) return;
    network.value = "";
    await made();
  };
  return h(
    "form",
    { class: "filters", onsubmit: submit },
    field("address or network", network, "Its /24 (IPv4) or /48 (IPv6) is blocked."),
    h("button", { class: "main" }, "Block a network"),
  );
}

/** @param {any} each @param {() => Promise<void>} changed */
function row(each, changed) {
  const { host, addressGroup, reason, account, createdAt, expiresAt } = each;
  const lift = async () => {
    if (await unblock(each)) await changed();
  };
  const name = host ?? addressGroup;
  return h(
    "tr",
    null,
    h("td", null, host ? "the host " : "the network ", h("span", { class: "mono" }, name)),
    h("td", null, reason),
    h("td", null, account),
    h("td", null, ago(createdAt)),
    h("td", null, expiresAt ? moment(expiresAt) : "for ever"),
    h("td", null, h("button", { type: "button", onclick: lift, "aria-label": `Unblock ${name}` }, "Unblock")),
  );
}
