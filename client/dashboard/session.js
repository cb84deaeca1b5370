/**
 * Who uses the dashboard, as the pool knows it by the session's cookie, which no script sees.
 *
 * @typedef {{account: {key: string, name: string} | null, scopes: string[], wantsTokens: boolean, providerName: string | null}} Viewer
 */

import { ROOT, ask, PoolAway, PoolRefused } from "../shared/graphql.js";

const VIEWER = `query { viewer { account { key name } scopes wantsTokens providerName } }`;
const SESSION = `${ROOT}session`;

/** @type {Promise<Viewer> | null} */
let known = null;
/** What is told when somebody signs in or out. */
const changes = new EventTarget();

/** Who is signed in. @returns {Promise<Viewer>} */
export function viewer() {
  known ??= ask(VIEWER).then((data) => data.viewer);
  known.catch(() => (known = null)); // It is asked again.
  return known;
}

/** @param {Viewer} user */
export function isOperator({ scopes }) {
  return scopes.includes("OPERATE");
}

/** Have a function called whenever somebody signs in or out. @param {() => void} changed */
export function whenChanged(changed) {
  changes.addEventListener("change", changed);
}

/**
 * @param {{token: string} | {link: string}} shown A token, or the text of the operator's one-time link.
 * @throws {PoolRefused} where it is not valid
 */
export async function signIn(shown) {
  await send("POST", shown);
}

export async function signOut() {
  await send("DELETE");
}

/** @param {string} method @param {object} [body] */
async function send(method, body) {
  const headers = { "content-type": "application/json" };
  const request = { method, headers, body: body && JSON.stringify(body) };
  const response = await fetch(SESSION, request).catch((problem) => {
    throw new PoolAway(`the pool does not answer: ${problem.message}`);
  });
  if (!response.ok) throw new PoolRefused(await response.json());
  known = null;
  changes.dispatchEvent(new Event("change"));
}
