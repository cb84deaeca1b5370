/** What there is to compute, by owner: what it is for, its source, and whether the volunteer takes part in it. */

import { h, put } from "../../shared/dom.js";
import { counted, span } from "../../shared/words.js";
import { purpose, source } from "../pool.js";
import { part } from "./elements.js";

/**
 * @typedef {import("../pool.js").JobCard} JobCard
 * @typedef {import("../choices.js").Choices} Choices
 */

const NAMELESS = "No owner named";

/**
 * @param {{jobs: JobCard[], more: boolean}} offers
 * @param {() => Choices} choices
 * @param {(changed: Partial<Choices>) => void} change
 */
export function showJobs({ jobs, more }, choices, change) {
  const owners = Map.groupBy(jobs, ({ owner }) => owner);
  put(
    part("jobs"),
    jobs.length ? null : h("p", { class: "soft" }, "The pool has no jobs yet."),
    [...owners].map(([owner, theirs], at) => ownerCard(owner, theirs, at, choices, change)),
    more ? h("p", { class: "soft" }, `These are the first ${jobs.length}; the pool has more.`) : null,
  );
}

/** @param {string} owner @param {JobCard[]} jobs @param {number} at @param {() => Choices} choices @param {(changed: Partial<Choices>) => void} change */
function ownerCard(owner, jobs, at, choices, change) {
  const rows = h(
    "ul",
    { class: "plain" },
    jobs.map((job) => jobRow(job, choices, change)),
  );
  const box = toggle(`owner-${at}`, !choices().leftOutOwners.includes(owner), (on) => {
    change({ leftOutOwners: without(choices().leftOutOwners, owner, on) });
    rows.classList.toggle("left-out", !on);
  });
  rows.classList.toggle("left-out", choices().leftOutOwners.includes(owner));
  return h(
    "section",
    { class: "owner", "aria-labelledby": `owner-${at}-name` },
    h(
      "h3",
      { class: "tick" },
      box,
      h("label", { for: `owner-${at}`, id: `owner-${at}-name` }, owner || NAMELESS),
      h("span", { class: "soft" }, counted(jobs.length, "job")),
    ),
    rows,
  );
}

/** @param {JobCard} job @param {() => Choices} choices @param {(changed: Partial<Choices>) => void} change */
function jobRow(job, choices, change) {
  const { text, language } = purpose(job);
  const code = h("pre", { tabindex: "0", "aria-label": `Source of ${job.name}` }, "…");
  const word = h("p", { class: "soft checked" });
  const box = toggle(`job-${job.key}`, !choices().leftOutJobs.includes(job.key), (on) =>
    change({ leftOutJobs: without(choices().leftOutJobs, job.key, on) }),
  );
  const show = async () => {
    try {
      put(code, await source(job.key, job.sha256));
      put(word, "✓ Checked: this text has the SHA-256 above.");
    } catch (problem) {
      put(code, "");
      put(word, problem instanceof Error ? problem.message : String(problem));
    }
  };
  const details = h(
    "details",
    { ontoggle: () => details.open && show() },
    h("summary", null, "View source"),
    word,
    code,
  );
  return h(
    "li",
    { class: "job" },
    h("p", { class: "tick" }, box, h("label", { for: `job-${job.key}` }, job.name)),
    text
      ? h("p", { class: "purpose", lang: language || false }, text)
      : h("p", { class: "purpose soft" }, "Its owner does not say what it is for."),
    h(
      "p",
      { class: "soft facts" },
      job.runMilliseconds === null ? "No run times known yet. " : `About ${span(job.runMilliseconds)} a task. `,
      "SHA-256 ",
      h("code", { class: "hash" }, job.sha256),
    ),
    details,
  );
}

/** @param {string} id @param {boolean} checked @param {(on: boolean) => void} change */
function toggle(id, checked, change) {
  const box = h("input", { type: "checkbox", id, checked, onchange: () => change(box.checked) });
  return box;
}

/** A list of what is left out, after one of it was ticked or not. @param {string[]} leftOut @param {string} one @param {boolean} on */
function without(leftOut, one, on) {
  const others = leftOut.filter((each) => each !== one);
  return on ? others : [...others, one];
}
