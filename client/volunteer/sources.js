/** Jobs' code, none of which is used before its SHA-256 was found to be the one that the pool names. */

import * as pool from "./pool.js";

/** SHA-256 of a text in UTF-8, in hex. @param {string} text */
export async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The source is not the one that its SHA-256 names. It is not run. */
export class Forged extends Error {}

/** @type {Map<string, Promise<string>>} */
const genuine = new Map();

/**
 * A job's source, asked for once.
 *
 * @param {string} job
 * @param {string} digest
 * @throws {Forged} and what asking the pool throws.
 */
export function genuineSource(job, digest) {
  const name = `${digest} ${job}`;
  const known = genuine.get(name) ?? check(job, digest);
  genuine.set(name, known);
  known.catch(() => genuine.delete(name));
  return known;
}

/** @param {string} job @param {string} digest */
async function check(job, digest) {
  const source = await pool.source(job);
  if ((await sha256(source)) !== digest) throw new Forged(`${job}: the source is not the one that its SHA-256 names`);
  return source;
}
