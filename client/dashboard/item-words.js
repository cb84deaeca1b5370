/** What screen readers and tooltips say of a picture's items. */

import { counted, number, span } from "../shared/words.js";
import { endedOf, nameOf, stateOf } from "./flow-model.js";
import { named } from "./states.js";

/** An item in words. @param {import("./picture.js").Item} item */
export function wordsOf({ level, job }) {
  if (job) {
    const runs = job.iteration ? `, run ${job.iteration + 1}` : "";
    const took = job.start && job.end ? ` after ${span(job.end - job.start)}` : "";
    return `Job ${job.number}: ${job.job} as ${job.as}, ${named(job.state)}${took}${runs}`;
  }
  const ended = endedOf(level.own);
  const below = level.below.length ? `, after ${counted(level.below.length, "level")}` : "";
  return `${nameOf(level)}: ${level.title}, ${named(stateOf(level))}, ${number(ended)} of ${counted(level.jobs.length, "job")} ended${below}`;
}
