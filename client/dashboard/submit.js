/** Submitting a flow or a job. The pool itself says what is wrong with them; here that is shown where it is. */

import { h, put } from "../shared/dom.js";
import { PoolAway, PoolRefused, ask } from "../shared/graphql.js";
import { Editor } from "./editor.js";
import { NotJson, lineOf, parsed, placeOf } from "./json-places.js";
import { field, tabs } from "./parts.js";

const SUBMIT_FLOW = `mutation ($input: SubmitFlowInput!) { submitFlow(input: $input) {
  flow { key } userErrors { field message code }
} }`;
const CREATE_JOB = `mutation ($input: CreateJobInput!) { createJob(input: $input) {
  job { key } userErrors { field message code }
} }`;
const ADD_VARIABLES = `mutation ($input: CreateVariablesInput!) { createVariables(input: $input) {
  variables { key } userErrors { field message code }
} }`;

const FLOW = `{
  "name": "sum of squares",
  "owner": "",
  "dependent": {
    "jobs": [
      {"job": "square", "variable": "one", "as": "a"},
      {"job": "square", "variable": "two", "as": "b"}
    ]
  },
  "jobs": [
    {"job": "sum"}
  ]
}
`;
const SOURCE = `function (variable, context) {
  context.result = variable.x * variable.x;
  return context;
}
`;
const VARIABLES = `[
  {"id": "one", "value": {"x": 1}},
  {"id": "two", "value": {"x": 2}}
]
`;
/** Where the pool's compiler says which line it does not understand. */
const AT_LINE = /\bline (\d+)/;

/** @param {Element} main @param {import("./main.js").Visit} visit */
export async function submitPage(main, { query, signal, go }) {
  document.title = "Submit - comp-pool";
  const kinds = [
    { name: "flow", title: "Flow", show: () => flowForm(signal) },
    { name: "job", title: "Job", show: () => jobForm(signal) },
  ];
  const { element } = tabs("kind", kinds, query.get("kind") ?? "flow", (kind) =>
    go({ kind: kind === "flow" ? null : kind }),
  );
  put(
    main,
    h("div", { class: "head" }, h("h1", null, "Submit")),
    h(
      "p",
      { class: "soft" },
      "The same by hand, with the whole schema beside it: ",
      h("a", { href: "graphql" }, "the GraphQL page"),
      ".",
    ),
    element,
  );
}

/** @param {AbortSignal} signal */
function flowForm(signal) {
  const editor = new Editor("The flow, as JSON", FLOW, {
    rows: 20,
    hint: "name, owner, onFailure; jobs: {job, variable, if, while, as, policy}; dependent: the levels that run before.",
  });
  return form("Submit the flow", [editor], async (said) => {
    const input = read(editor);
    if (!input) return;
    const answer = await carryOut(
      SUBMIT_FLOW,
      "submitFlow",
      input.value,
      (error) => complain(editor, input.places, error),
      signal,
    );
    if (answer?.flow) location.hash = `#/flows/${encodeURIComponent(answer.flow.key)}`;
    else if (editor.errors.hasChildNodes()) put(said, "Nothing was submitted.");
  });
}

/** @param {AbortSignal} signal */
function jobForm(signal) {
  const name = h("input", { name: "name", autocomplete: "off", required: true });
  const owner = h("input", { name: "owner", autocomplete: "off" });
  const description = h("input", { name: "description", autocomplete: "off" });
  const quorum = h("input", { name: "quorum", type: "number", min: 1, max: 20, value: 1 });
  const source = new Editor("executeFunction", SOURCE, {
    rows: 10,
    hint: "A function of (variable, context) that sets context.result and returns the context.",
  });
  const validate = new Editor("validateResult", "", {
    rows: 4,
    hint: "A function of (variable, result, context) that says whether a result is right. Empty: all are.",
  });
  const variables = new Editor("Variables, as JSON", VARIABLES, {
    rows: 6,
    hint: "A list of {id, value}; empty: none yet.",
  });
  const nameField = h("div", null, field("name", name));
  const quorumField = h("div", null, field("equal results wanted", quorum));
  const wrong = h("ul", { class: "errors", role: "alert" });
  const fields = h(
    "div",
    { class: "fields" },
    nameField,
    field("owner", owner),
    field("description", description),
    quorumField,
  );

  /** @type {Record<string, Editor>} */
  const editors = { executeFunction: source, validateResult: validate };
  /** @type {Record<string, HTMLInputElement>} */
  const inputs = { name, owner, description, "policy.quorum": quorum };
  const complainOfJob = (/** @type {any} */ error) => {
    const editor = editors[error.field];
    if (editor) editor.complain(error.message, Number(AT_LINE.exec(error.message)?.[1] ?? 0));
    else {
      inputs[error.field]?.setAttribute("aria-invalid", "true");
      wrong.append(h("li", null, error.field ? `${error.field}: ` : "", error.message));
    }
  };
  return form("Submit the job", [fields, wrong, source, validate, variables], async (said) => {
    put(wrong);
    for (const input of Object.values(inputs)) input.removeAttribute("aria-invalid");
    const given = variables.text.trim() ? read(variables) : { value: [], places: new Map() };
    if (!given) return;
    const metadata = {
      ...(owner.value && { owner: owner.value }),
      ...(description.value && { description: { en: description.value } }),
    };
    const input = {
      name: name.value,
      executeFunction: source.text,
      validateResult: validate.text.trim() ? validate.text : null,
      metadata,
      policy: { quorum: Number(quorum.value) },
    };
    const answer = await carryOut(CREATE_JOB, "createJob", input, complainOfJob, signal);
    if (!answer?.job) return void put(said, "Nothing was submitted.");
    const { key } = answer.job;
    if (given.value.length !== 0) {
      const complainOfVariable = (/** @type {any} */ error) =>
        complain(variables, given.places, { ...error, field: (error.field ?? "").replace(/^variables/, "") });
      const added = await carryOut(
        ADD_VARIABLES,
        "createVariables",
        { job: key, variables: given.value },
        complainOfVariable,
        signal,
      );
      if (variables.errors.hasChildNodes() || !added) {
        put(
          said,
          "The job is there, its variables are not: put them right, and submit again under another name, or ",
          h("a", { href: `#/jobs/${encodeURIComponent(key)}` }, "see the job"),
          ".",
        );
        return;
      }
    }
    location.hash = `#/jobs/${encodeURIComponent(key)}`;
  });
}

/** @param {string} verb @param {(Editor | Element)[]} parts @param {(said: Element) => Promise<void>} submit */
function form(verb, parts, submit) {
  const said = h("p", { class: "note", role: "status" });
  const button = h("button", { class: "main" }, verb);
  const carry = async (/** @type {Event} */ event) => {
    event.preventDefault();
    for (const part of parts) if (part instanceof Editor) part.clear();
    button.disabled = true;
    put(said, "The pool is reading it...");
    try {
      await submit(said);
    } catch (problem) {
      if (!(problem instanceof PoolAway)) throw problem;
      put(said, `The pool does not answer: ${problem.message}`);
    } finally {
      button.disabled = false;
      if (said.textContent === "The pool is reading it...") put(said);
    }
  };
  const elements = parts.map((part) => (part instanceof Editor ? part.element : part));
  return h(
    "form",
    { class: "card", onsubmit: carry, novalidate: true },
    elements,
    h("div", { class: "actions" }, button),
    said,
  );
}

/** What an editor says, unless it is no JSON. @param {Editor} editor */
function read(editor) {
  try {
    return parsed(editor.text);
  } catch (problem) {
    if (!(problem instanceof NotJson)) throw problem;
    editor.complain(`This is not JSON: ${problem.message}.`, lineOf(editor.text, problem.offset));
    return null;
  }
}

/** Show an error of the pool at the line that it is about. @param {Editor} editor @param {import("./json-places.js").Places} places @param {any} error */
function complain(editor, places, error) {
  const path = error.field ?? "";
  const line = path ? lineOf(editor.text, placeOf(places, path)) : 0;
  editor.complain(path ? `${path}: ${error.message}` : error.message, line);
}

/**
 * Carry out a mutation, and complain of what is wrong with its input: that it makes no sense (`userErrors`), or that it
 * has another type (GraphQL's own errors).
 *
 * @param {string} mutation @param {string} name @param {unknown} input @param {(error: any) => void} complainOf
 * @param {AbortSignal} signal
 */
async function carryOut(mutation, name, input, complainOf, signal) {
  try {
    const { [name]: answer } = await ask(mutation, { input }, signal);
    answer.userErrors.forEach(complainOf);
    return answer;
  } catch (problem) {
    if (!(problem instanceof PoolRefused)) throw problem;
    for (const refusal of problem.problems) {
      complainOf({ field: refusal.field ?? "", message: refusal.message.slice(0, 500) });
    }
    return null;
  }
}
