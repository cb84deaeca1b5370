"""A host that claims and reports step by step, as a test says."""

from resolvers.flows import reading
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from resolvers.volunteers.picking import ClaimedTask
from storage import Flow
from tests.resolvers.flows.hive import report


async def claim(
    runtime: Runtime, first: int = 10, host: str = "ann", jobs: frozenset[str] = frozenset()
) -> list[ClaimedTask]:
    return (await claims.claim(runtime, ClaimRequest(host, first, jobs=jobs))).tasks


async def report_all(runtime: Runtime, claimed: list[ClaimedTask], host: str = "ann") -> list[reports.Receipt]:
    return await reports.submit(runtime, host, [report(host, each) for each in claimed])


async def work(runtime: Runtime, flow: Flow) -> Flow:
    """The flow after all its work was done."""
    while claimed := await claim(runtime):
        await report_all(runtime, claimed)
    return await reading.get(runtime, flow.key)
