/**
 * The dashboard: which page an address shows. Addresses are fragments (`#/flows/KEY?view=timeline`), so that each can be
 * shared as a link.
 *
 * @typedef {{path: string[], query: URLSearchParams, signal: AbortSignal, go: (changes: Record<string, string | null>) => void}} Visit
 */

import { h, put } from "../shared/dom.js";
import { PoolAway, PoolRefused } from "../shared/graphql.js";
import { flowPage } from "./flow.js";
import { flowsPage } from "./flows.js";
import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";
import { poolPage } from "./pool.js";
import { submitPage } from "./submit.js";

/** @type {Record<string, [(main: Element, visit: Visit) => Promise<void>, (main: Element, visit: Visit) => Promise<void>]>} */
const PAGES = {
  flows: [flowsPage, flowPage],
  jobs: [jobsPage, jobPage],
  pool: [poolPage, poolPage],
  submit: [submitPage, submitPage],
};

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
  const [list, one] = PAGES[section] ?? PAGES.flows;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${section}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  put(main);
  try {
    await (path.length ? one : list)(main, { path, query: new URLSearchParams(query), signal, go });
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
  if (!(problem instanceof PoolAway || problem instanceof PoolRefused)) console.error(problem);
  const away = problem instanceof PoolAway;
  return h(
    "section",
    { class: "card problem", role: "alert" },
    h("h1", null, away ? "The pool does not answer" : "That did not work"),
    h("p", null, problem instanceof Error ? problem.message : String(problem)),
    h("button", { type: "button", onclick: () => show(false) }, "Try again"),
  );
}

addEventListener("hashchange", () => {
  show(false);
  if (location.hash.startsWith("#/")) main.focus();
});
show(true);
