"""Deleting accounts, with their tokens, jobs and flows."""

from __future__ import annotations

from resolvers.access import accounts
from resolvers.deleting import flows
from resolvers.deleting.steps import MOST_ROOTS, remove_at, remove_each
from resolvers.runtime import Runtime
from storage import Account, JobState
from storage.deletable import is_removable

JOBS_AT_ONCE = 300


async def delete(runtime: Runtime, key: str) -> Account:
    """Delete an account; the account as it was. Its tokens are refused at once, and its jobs and flows are gone.

    Raises NotFound.
    """
    account = await accounts.get(runtime, key)
    await runtime.store.accounts.delete([account.id], remove_at=remove_at(runtime))
    await _part_from(runtime, account)
    while await _delete_works(runtime, account):
        pass
    return account


async def _part_from(runtime: Runtime, account: Account) -> None:
    """End an account's tokens. Its hosts stay, and are nobody's."""
    await runtime.store.tokens.revoke_all(account.key, runtime.now())
    await runtime.store.hosts.forget_account(account.key)


async def _delete_works(runtime: Runtime, account: Account) -> int:
    """Delete some of an account's jobs and flows; how many there were."""
    jobs = await runtime.store.jobs.of_account(account.key, JOBS_AT_ONCE)
    if jobs:
        await runtime.store.jobs.delete(jobs, remove_at=remove_at(runtime), state=JobState.ARCHIVED)
    found = await runtime.store.flows.of_account(account.key, MOST_ROOTS)
    for flow in found:
        await flows.mark(runtime, flow)
    return len(jobs) + len(found)


async def remove(runtime: Runtime, limit: int) -> int:
    """One step of deleting what deleted accounts have, and of removing these; how many documents it was."""
    gone, deleted = await runtime.store.accounts.gone(MOST_ROOTS), 0
    for account in gone:  # A process may have ended before it did so, or have stored something since.
        await _part_from(runtime, account)
        deleted += await _delete_works(runtime, account)
    removable = [account for account in gone if is_removable(account.seq, runtime.now())]
    return deleted + await remove_each(runtime, removable, _remove_some, limit)


async def _remove_some(runtime: Runtime, account: Account, limit: int) -> int:
    if deleted := await _delete_works(runtime, account):
        return deleted
    removed = await runtime.store.tokens.remove_some("account", account.key, limit)
    return removed or await runtime.store.accounts.remove([account.id])
