/** The page at `/graphql`: ask the pool something, with its schema beside it. */

import { Editor } from "../dashboard/editor.js";
import { h, put, say } from "../shared/dom.js";
import { ROOT, subscribe } from "../shared/graphql.js";

const EXAMPLE = `{
  pool {
    name
    status { hosts resultsLastHour tasks { ready leased } }
  }
  jobs(first: 5) {
    nodes { key name owner }
  }
}`;

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const query = new Editor("Query", EXAMPLE, { rows: 14, hint: "Ctrl+Enter asks." });
const variables = new Editor("Variables, as JSON", "", { rows: 4 });
let asking = new AbortController();

/** @param {unknown} answer */
const show = (answer) => say(part("answer"), JSON.stringify(answer, null, 2));

/** What the variables' editor holds; undefined after it was told what is wrong. */
function given() {
  variables.clear();
  try {
    return variables.text.trim() ? JSON.parse(variables.text) : {};
  } catch (problem) {
    variables.complain(/** @type {Error} */ (problem).message, 0);
    return undefined;
  }
}

async function ask() {
  const values = given();
  if (values === undefined) return;
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  say(part("status"), "Asking…");
  try {
    await (isSubscription(query.text) ? watch(values, signal) : request(values, signal));
  } catch (problem) {
    if (!signal.aborted) say(part("status"), /** @type {Error} */ (problem).message);
  }
}

/** Whether it starts with a subscription, comments aside. @param {string} text */
const isSubscription = (text) => /^(\s|,|#.*\n)*subscription\b/.test(text);

/** @param {object} values @param {AbortSignal} signal */
async function request(values, signal) {
  const response = await fetch(`${ROOT}graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: query.text, variables: values }),
    signal,
  });
  show(await response.json());
  say(part("status"), `Answered with status ${response.status}.`);
}

/** @param {Record<string, unknown>} values @param {AbortSignal} signal */
async function watch(values, signal) {
  let events = 0;
  for await (const data of subscribe(query.text, values, signal)) {
    show({ data });
    say(part("status"), `${(events += 1)} events so far; this is the last one.`);
  }
  say(part("status"), `The subscription ended after ${events} events.`);
}

async function readSchema() {
  const response = await fetch(`${ROOT}schema.graphql`);
  const definitions = (await response.text()).split(/\n\n(?=\S)/);
  const wanted = /** @type {HTMLInputElement} */ (part("wanted"));
  const choose = () => {
    const words = wanted.value.trim().toLowerCase();
    const chosen = definitions.filter((each) => each.toLowerCase().includes(words));
    say(part("schema"), chosen.join("\n\n") || "Nothing in the schema mentions that.");
  };
  wanted.addEventListener("input", choose);
  choose();
}

const form = part("asking");
put(
  form,
  query.element,
  variables.element,
  h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Ask")),
);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
});
readSchema().catch((problem) => say(part("schema"), problem.message));
