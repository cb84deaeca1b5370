/**
 * Blocking hosts and networks, and forgiving them.
 *
 * @typedef {{host: string | null, addressGroup: string | null}} Place A host's key, or a network.
 */

import { PoolError, ask } from "../shared/graphql.js";
import { confirmed } from "./parts.js";
import { reasonFor } from "./reason.js";

const BLOCK_HOST = `mutation ($input: BlockHostInput!) { blockHost(input: $input) { userErrors { message code } } }`;
const UNBLOCK_HOST = `mutation ($input: UnblockHostInput!) { unblockHost(input: $input) {
  userErrors { message code } } }`;
const BLOCK_GROUP = `mutation ($input: BlockAddressGroupInput!) { blockAddressGroup(input: $input) {
  userErrors { message code } } }`;
const UNBLOCK_GROUP = `mutation ($input: UnblockAddressGroupInput!) { unblockAddressGroup(input: $input) {
  userErrors { message code } } }`;
const MEANING = "It gets no work, its results are not taken, and what it holds goes to others at once.";

/** Ask why, and block it; whether that was done. @param {Place} place @throws {PoolError} */
export async function block({ host, addressGroup }) {
  const given = await reasonFor(`Block ${host ?? addressGroup}?`, MEANING, { ends: true });
  if (!given) return false;
  if (host) await carryOut(BLOCK_HOST, { host, ...given });
  else await carryOut(BLOCK_GROUP, { addressGroup, ...given });
  return true;
}

/** Ask whether to, and block it no more; whether that was done. @param {Place} place @throws {PoolError} */
export async function unblock({ host, addressGroup }) {
  if (!(await confirmed(`Unblock ${host ?? addressGroup}?`))) return false;
  if (host) await carryOut(UNBLOCK_HOST, { host });
  else await carryOut(UNBLOCK_GROUP, { addressGroup });
  return true;
}

/** @param {string} mutation @param {object} input */
async function carryOut(mutation, input) {
  const [payload] = Object.values(await ask(mutation, { input }));
  if (payload.userErrors.length) throw PoolError.of(payload.userErrors[0]);
}
