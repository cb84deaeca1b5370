/** Who is signed in, at the head of each page, and where to go from there. */

import { h, put } from "../shared/dom.js";
import { isOperator, signOut, viewer, whenChanged } from "./session.js";

const OWN_PAGES = [
  ["#/usage", "My usage"],
  ["#/tokens", "My tokens"],
];
const OPERATOR_PAGES = [
  ["#/accounts", "Accounts"],
  ["#/reviews", "Jobs to approve"],
  ["#/hosts", "Hosts"],
  ["#/blocks", "Blocks"],
  ["#/audit", "Audit log"],
];

/** @param {HTMLElement} place */
export function accountMenu(place) {
  const show = async () => put(place, await menu());
  whenChanged(show);
  show();
}

async function menu() {
  const user = await viewer();
  if (!user.wantsTokens) return null;
  if (!user.account) return h("a", { href: "#/sign-in" }, "Sign in");
  const details = h(
    "details",
    { class: "menu" },
    h("summary", null, user.account.name),
    h(
      "ul",
      null,
      [...OWN_PAGES, ...(isOperator(user) ? OPERATOR_PAGES : [])].map(([href, title]) =>
        h("li", null, h("a", { href }, title)),
      ),
      h("li", null, h("button", { type: "button", class: "link", onclick: leave }, "Sign out")),
    ),
  );
  details.addEventListener("click", ({ target }) => {
    if (target instanceof HTMLAnchorElement) details.open = false;
  });
  details.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    details.open = false;
    details.querySelector("summary")?.focus();
  });
  return details;
}

async function leave() {
  await signOut();
  location.hash = "#/sign-in";
}
