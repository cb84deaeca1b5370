/**
 * The dashboard: which page an address shows. Addresses are fragments (`#/flows/KEY?view=timeline`), so that each can be
 * shared as a link.
 *
 * @typedef {{path: string[], query: URLSearchParams, signal: AbortSignal, go: (changes: Record<string, string | null>) => void}} Visit
 */

import { h, put } from "../shared/dom.js";
import { PoolAway, PoolError } from "../shared/graphql.js";
import { ErrorCode } from "../src/schema.js";
import { accountMenu } from "./account-menu.js";

/** Each page's modules are fetched when it is visited. A section's list, and the page of one of its members.
 * @type {Record<string, (() => Promise<(main: Element, visit: Visit) => Promise<void>>)[]>} */
const PAGES = {
  flows: [async () => (await import("./flows.js")).flowsPage, async () => (await import("./flow.js")).flowPage],
  jobs: [async () => (await import("./jobs.js")).jobsPage, async () => (await import("./job.js")).jobPage],
  pool: [async () => (await import("./pool.js")).poolPage],
  tokens: [async () => (await import("./tokens.js")).tokensPage],
  usage: [async () => (await import("./usage.js")).usagePage],
  accounts: [async () => (await import("./accounts.js")).accountsPage],
  reviews: [async () => (await import("./reviews.js")).reviewsPage],
  hosts: [async () => (await import("./hosts.js")).hostsPage],
  blocks: [async () => (await import("./blocks.js")).blocksPage],
  audit: [async () => (await import("./audit.js")).auditPage],
  "sign-in": [async () => (await import("./sign-in.js")).signInPage],
  submit: [async () => (await import("./submit.js")).submitPage],
};

const NOTICE_MS = 8000;

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
let leaving = new AbortController();

/** @param {boolean} first */
async function show(first) {
  if (!location.hash.startsWith("#/")) {
    if (first || location.hash === "") location.replace("#/flows");
    return;
  }
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [where, query = ""] = location.hash.slice(2).split("?");
  const [section, ...path] = where.split("/").filter(Boolean).map(decodeURIComponent);
  const [list, one = list] = PAGES[section] ?? PAGES.flows;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${section}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  put(main);
  try {
    const page = await (path.length ? one : list)();
    if (signal.aborted) return;
    await page(main, { path, query: new URLSearchParams(query), signal, go });
  } catch (problem) {
    if (!signal.aborted) put(main, problemPage(problem));
  }
}

/** Change the query of the address in place: the page that is shown has done so already.
 * @param {Record<string, string | null>} changes */
function go(changes) {
  const [where, query = ""] = location.hash.split("?");
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  const text = changed.toString();
  history.replaceState(null, "", text ? `${where}?${text}` : where);
}

/** @param {unknown} problem */
function problemPage(problem) {
  if (!(problem instanceof PoolError)) console.error(problem);
  const away = problem instanceof PoolAway && problem.code !== ErrorCode.INTERNAL;
  return h(
    "section",
    { class: "card problem", role: "alert" },
    h("h1", null, away ? "The pool does not answer" : "That did not work"),
    h("p", null, problem instanceof Error ? problem.message : String(problem)),
    h("button", { type: "button", onclick: () => show(false) }, "Try again"),
  );
}

/** What went wrong behind a button. */
function tellOfProblem(/** @type {PromiseRejectionEvent} */ event) {
  const { reason } = event;
  const isExpected = reason instanceof PoolError;
  if (!isExpected && reason?.name !== "AbortError") return;
  event.preventDefault();
  if (!isExpected) return;
  const notice = h("p", { class: "notice", role: "alert" }, reason.message);
  document.body.append(notice);
  setTimeout(() => notice.remove(), NOTICE_MS);
}

addEventListener("unhandledrejection", tellOfProblem);
addEventListener("hashchange", () => {
  show(false);
  if (location.hash.startsWith("#/")) main.focus();
});
accountMenu(/** @type {HTMLElement} */ (document.querySelector("#account")));
show(true);
