"""Hosts that the pool knows, so that it can say whether any of them would take a task."""

from collections.abc import Sequence

from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers import claims, hosts, reports
from resolvers.volunteers.claims import ClaimRequest
from resolvers.volunteers.picking import ClaimedTask
from tests.resolvers.flows.hive import report


async def new_host(runtime: Runtime) -> str:
    return (await hosts.identify(runtime, None)).key


async def claim(runtime: Runtime, host: str, first: int = 1, **wanted: frozenset[str]) -> list[ClaimedTask]:
    found = await claims.claim(runtime, ClaimRequest(host, first, **wanted))  # type: ignore[arg-type]
    # What hosts ask for is stored by the sweeper.
    await sweep(runtime)
    return found.tasks


async def report_all(runtime: Runtime, host: str, claimed: Sequence[ClaimedTask]) -> None:
    await reports.submit(runtime, host, [report(host, each) for each in claimed])
