/** For operators: the jobs that wait for approval. */

import { h, put } from "../shared/dom.js";
import { PoolError, ask } from "../shared/graphql.js";
import { ago } from "../shared/words.js";
import { highlighted } from "./highlight.js";
import { pager, table } from "./parts.js";
import { reasonFor } from "./reason.js";

const JOBS = `query ($first: Int!, $after: String) { jobsToApprove(first: $first, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { key name owner updatedAt executeFunction validateResult variableScheduler compareResults }
} }`;
const APPROVE = `mutation ($input: ApproveJobInput!) { approveJob(input: $input) { userErrors { message code } } }`;
const REJECT = `mutation ($input: RejectJobInput!) { rejectJob(input: $input) { userErrors { message code } } }`;
const APPROVE_ACCOUNT = `mutation ($input: ApproveAccountInput!) { approveAccount(input: $input) {
  userErrors { message code } } }`;
const PAGE = 25;

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function reviewsPage(main, { signal }) {
  document.title = "Jobs to approve - comp-pool";
  const body = h("tbody");
  const none = h("p", { class: "soft", role: "status" });
  const read = async () => {
    const { jobsToApprove } = await ask(JOBS, { first: PAGE, after: turner.after }, signal);
    turner.show(jobsToApprove.pageInfo);
    put(
      body,
      jobsToApprove.nodes.map((/** @type {any} */ job) => row(job, read)),
    );
    put(none, jobsToApprove.nodes.length ? null : "No job waits for approval.");
  };
  const turner = pager(read);
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Jobs to approve")),
    table(["job", "owner", "submitted", "source", "action"], body, "Jobs to approve"),
    none,
    turner.element,
  );
  await read();
}

/** @param {any} job @param {() => Promise<void>} changed */
function row(job, changed) {
  const { key, name, owner, updatedAt } = job;
  const act = async (/** @type {string} */ mutation, /** @type {object} */ input) => {
    const [payload] = Object.values(await ask(mutation, { input }));
    if (payload.userErrors.length) throw PoolError.of(payload.userErrors[0]);
    await changed();
  };
  const reject = async () => {
    const given = await reasonFor(`Reject ${name}?`, "It is archived, and its owner reads the reason.");
    if (given) await act(REJECT, { job: key, reason: given.reason });
  };
  return h(
    "tr",
    null,
    h("td", null, h("a", { href: `#/jobs/${encodeURIComponent(key)}` }, name)),
    h("td", null, owner),
    h("td", null, ago(updatedAt)),
    h("td", null, sources(job)),
    h(
      "td",
      null,
      h(
        "div",
        { class: "actions" },
        button("Approve", `Approve ${name}`, () => act(APPROVE, { job: key })),
        button("Approve the owner", `Approve the owner ${owner}`, () => act(APPROVE_ACCOUNT, { account: owner })),
        button("Reject", `Reject ${name}`, reject),
      ),
    ),
  );
}

/** @param {any} job */
function sources(job) {
  const names = ["executeFunction", "validateResult", "variableScheduler", "compareResults"];
  return h(
    "details",
    null,
    h("summary", null, `Source of ${job.name}`),
    names.filter((name) => job[name]).flatMap((name) => [h("p", { class: "soft" }, name), highlighted(job[name])]),
  );
}

/** @param {string} text @param {string} label @param {() => void} onclick */
function button(text, label, onclick) {
  return h("button", { type: "button", "aria-label": label, onclick }, text);
}
