/** For operators: what owners and operators have changed. */

import { h, put } from "../shared/dom.js";
import { ask } from "../shared/graphql.js";
import { moment } from "../shared/words.js";
import { pager, table } from "./parts.js";

const ENTRIES = `query ($first: Int!, $after: String) { auditLog(first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { at account token action subject }
} }`;
const PAGE = 50;

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function auditPage(main, { signal }) {
  document.title = "Audit log - comp-pool";
  const body = h("tbody");
  const read = async () => {
    const { auditLog } = await ask(ENTRIES, { first: PAGE, after: turner.after }, signal);
    turner.show(auditLog.pageInfo);
    put(body, auditLog.nodes.map(row));
  };
  const turner = pager(read);
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Audit log")),
    table(["when", "account", "what", "on what", "with the token"], body, "Audit log"),
    turner.element,
  );
  await read();
}

/** @param {{at: string, account: string | null, token: string | null, action: string, subject: string}} entry */
function row({ at, account, token, action, subject }) {
  return h(
    "tr",
    null,
    h("td", null, moment(at)),
    h("td", null, account ?? "the command line"),
    h("td", null, action),
    h("td", { class: "value" }, subject),
    h("td", { class: "value" }, token),
  );
}
