/**
 * What the volunteer chose, kept in this browser.
 *
 * @typedef {{workers: number, share: number, patienceSeconds: number, batteryPauses: boolean, hiddenPauses: boolean,
 *   leftOutOwners: string[], leftOutJobs: string[]}} Choices
 *   `workers`: computations at the same time; `share`: how much of the time they compute, in percent;
 *   `patienceSeconds`: how long a task may take whose lease is shorter than that.
 */

const KEY = "comp-pool.choices";

/** How many computations the machine can make at the same time. */
export const CORES = navigator.hardwareConcurrency || 2;

/** @type {Choices} */
const DEFAULTS = {
  workers: Math.max(1, Math.floor(CORES / 2)),
  share: 80,
  patienceSeconds: 600,
  batteryPauses: true,
  hiddenPauses: false,
  leftOutOwners: [],
  leftOutJobs: [],
};

/** @returns {Choices} */
export function readChoices() {
  /** @type {Partial<Choices>} */
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // Not ours, or of another time: the defaults have to do.
  }
  return {
    workers: within(kept.workers, 1, CORES) ?? DEFAULTS.workers,
    share: within(kept.share, 5, 100) ?? DEFAULTS.share,
    patienceSeconds: within(kept.patienceSeconds, 1, 86_400) ?? DEFAULTS.patienceSeconds,
    batteryPauses: kept.batteryPauses ?? DEFAULTS.batteryPauses,
    hiddenPauses: kept.hiddenPauses ?? DEFAULTS.hiddenPauses,
    leftOutOwners: texts(kept.leftOutOwners),
    leftOutJobs: texts(kept.leftOutJobs),
  };
}

/** @param {Choices} choices */
export function keepChoices(choices) {
  localStorage.setItem(KEY, JSON.stringify(choices));
}

/** Whether the volunteer computes a job. @param {Choices} choices @param {{key: string, owner: string}} job */
export function supports(choices, job) {
  return !choices.leftOutOwners.includes(job.owner) && !choices.leftOutJobs.includes(job.key);
}

/** @param {unknown} value @param {number} least @param {number} most */
function within(value, least, most) {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(Math.max(value, least), most) : undefined;
}

/** @param {unknown} value @returns {string[]} */
function texts(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
