/** Signing in: with a token. */

import { h, put, say } from "../shared/dom.js";
import { PoolRefused } from "../shared/graphql.js";
import { field } from "./parts.js";
import { signIn, viewer } from "./session.js";

/** @param {Element} main */
export async function signInPage(main) {
  document.title = "Sign in - comp-pool";
  const user = await viewer();
  put(main, h("div", { class: "head" }, h("h1", null, "Sign in")), user.wantsTokens ? tokenForm() : openPool());
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
      await signIn(token.value.trim());
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
