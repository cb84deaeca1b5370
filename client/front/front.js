/** The page at `/`: what this pool computes, in the reader's language. */

import { h, put, say } from "../shared/dom.js";
import { counted } from "../shared/words.js";
import { offers, purpose } from "../volunteer/pool.js";
import { ask } from "../shared/graphql.js";

const STATUS = "{ pool { status { resultsLastHour activeHosts tasks { ready leased } } } }";

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

async function show() {
  const [{ name, jobs, more }, { pool }] = await Promise.all([offers(), ask(STATUS)]);
  const { resultsLastHour, activeHosts, tasks } = pool.status;
  say(part("name"), name);
  document.title = name;
  say(
    part("status"),
    `${counted(tasks.ready + tasks.leased, "task")} to do, ${counted(activeHosts, "volunteer")} at work, ` +
      `${counted(resultsLastHour, "result")} in the last hour.`,
  );
  put(
    part("jobs"),
    jobs.map((job) => {
      const { text, language } = purpose(job);
      return h(
        "li",
        null,
        h("b", null, job.name),
        job.owner ? h("span", { class: "soft" }, ` by ${job.owner}`) : null,
        text ? h("p", { lang: language || false }, text) : null,
      );
    }),
    jobs.length ? null : h("li", { class: "soft" }, "No jobs yet."),
    more ? h("li", { class: "soft" }, "And more.") : null,
  );
}

show().catch(() => say(part("status"), "The pool can’t answer right now."));
