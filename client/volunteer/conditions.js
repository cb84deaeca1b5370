/** Whether this is a moment to compute, by what the volunteer chose. */

/** @type {{charging: boolean} | null} */
let battery = null;
// Only some browsers tell.
/** @type {any} */ (navigator).getBattery?.().then(
  (/** @type {{charging: boolean}} */ found) => (battery = found),
  () => {},
);

/** Why to pause, or empty. @param {import("./choices.js").Choices} choices */
export function pauseReason({ batteryPauses, hiddenPauses }) {
  if (batteryPauses && battery && !battery.charging) return "Paused while the computer runs on battery.";
  if (hiddenPauses && document.visibilityState === "hidden") return "Paused while this tab is hidden.";
  return "";
}
