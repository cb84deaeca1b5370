/** Signing in: with a token, by the one-time link of a first start (`?link=cl_...`), or through the OpenID Connect provider, which leads back here if that fails. */

import { h, put, say } from "../shared/dom.js";
import { PoolRefused } from "../shared/graphql.js";
import { field } from "./parts.js";
import { signIn, viewer } from "./session.js";

/** Why the provider's sign-in came to nothing. @type {Record<string, string>} */
const PROBLEMS = {
  denied: "You were not signed in: the provider says that this was denied.",
  expired: "You were not signed in: it took too long, or was begun in another browser. Please try again.",
  provider:
    "You were not signed in: the provider can't be reached, or did not answer as it should. The pool's log says more.",
  stranger: "You were not signed in: there is no account for you in this pool. Its operator can let you have one.",
};

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function signInPage(main, { query }) {
  document.title = "Sign in - comp-pool";
  const link = query.get("link");
  const refused = link && (await followed(link));
  if (refused === "") return;
  const user = await viewer();
  const problem = refused ?? PROBLEMS[query.get("problem") ?? ""];
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Sign in")),
    problem && h("p", { class: "card broken", role: "alert" }, problem),
    user.providerName && providerLink(user.providerName),
    user.wantsTokens ? tokenForm() : openPool(),
  );
}

/** Why a link is refused; empty if it has signed in. @param {string} link */
async function followed(link) {
  history.replaceState(null, "", "#/sign-in"); // It is nobody else's who reads the address, or the history.
  try {
    await signIn({ link });
  } catch (error) {
    if (!(error instanceof PoolRefused)) throw error;
    return error.message;
  }
  location.hash = "#/flows";
  return "";
}

/** @param {string} name */
function providerLink(name) {
  return h("p", { class: "card" }, h("a", { class: "button", href: "session/openid" }, `Sign in with ${name}`));
}

function openPool() {
  return h("p", { class: "card" }, "This pool is open: whoever reaches it is its operator, without signing in.");
}

function tokenForm() {
  const token = h("input", { type: "password", autocomplete: "current-password", required: true, spellcheck: "false" });
  const problem = h("p", { class: "broken", role: "alert" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    say(problem, "");
    try {
      await signIn({ token: token.value.trim() });
    } catch (error) {
      if (!(error instanceof PoolRefused)) throw error;
      say(problem, error.message);
      token.focus();
      return;
    }
    location.hash = "#/flows";
  };
  return h(
    "form",
    { class: "card", onsubmit: submit },
    field("token", token, "It begins with cp_. An operator of the pool makes one for you."),
    problem,
    h("div", { class: "actions" }, h("button", { class: "main" }, "Sign in")),
  );
}
