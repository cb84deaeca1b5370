/** The form of how much the volunteer gives, and the sentence that says it before anything runs. */

import { counted } from "../../shared/words.js";
import { say } from "../../shared/dom.js";
import { CORES } from "../choices.js";
import { field, part } from "./elements.js";

/** @typedef {import("../choices.js").Choices} Choices */

/**
 * Show the choices, and tell of each change.
 *
 * @param {Choices} choices
 * @param {(changed: Partial<Choices>) => void} change
 */
export function showChoices(choices, change) {
  const [workers, share, patience, battery, hidden] = ["workers", "share", "patience", "battery", "hidden"].map(field);
  workers.max = String(CORES);
  workers.value = String(choices.workers);
  share.value = String(choices.share);
  patience.value = String(Math.max(1, Math.round(choices.patienceSeconds / 60)));
  battery.checked = choices.batteryPauses;
  hidden.checked = choices.hiddenPauses;
  part("choices").addEventListener("submit", (event) => event.preventDefault());
  workers.addEventListener("input", () => change({ workers: workers.valueAsNumber }));
  share.addEventListener("input", () => change({ share: share.valueAsNumber }));
  patience.addEventListener("change", () => {
    if (patience.checkValidity()) change({ patienceSeconds: patience.valueAsNumber * 60 });
  });
  battery.addEventListener("change", () => change({ batteryPauses: battery.checked }));
  hidden.addEventListener("change", () => change({ hiddenPauses: hidden.checked }));
  sayChoices(choices);
}

/** @param {Choices} choices */
export function sayChoices({ workers, share }) {
  say(part("workers-said"), `${workers} of ${CORES}`);
  say(part("share-said"), `${share} %`);
}

/**
 * What the volunteer is asked for, in one paragraph.
 *
 * @param {Choices} choices
 * @param {{owner: string}[]} jobs Those that are supported.
 * @param {boolean} started
 */
export function promise({ workers, share, batteryPauses, hiddenPauses }, jobs, started) {
  if (!jobs.length) return "There is no job here that you support, but new ones may come.";
  const owners = [...new Set(jobs.map(({ owner }) => owner || "an owner without a name"))];
  const whose =
    owners.length > 3 ? `${owners.slice(0, 2).join(", ")} and ${owners.length - 2} more owners` : list(owners);
  const pauses = [batteryPauses && "on battery", hiddenPauses && "while this tab is hidden"].filter((each) => each);
  const pausing = pauses.length ? ` It pauses ${list(/** @type {string[]} */ (pauses))}.` : "";
  return (
    `Your browser ${started ? "computes" : "would compute"} for ${counted(jobs.length, "job")} of ${whose}, on up to ${workers} of this machine’s ` +
    `${counted(CORES, "processor core")}, ${share === 100 ? "all" : `${share} % of`} the time.${pausing}`
  );
}

/** @param {string[]} words */
const list = (words) => new Intl.ListFormat("en").format(words);
