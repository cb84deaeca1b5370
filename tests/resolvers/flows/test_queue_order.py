"""Which work is handed out first."""

from resolvers.owners.variables import NewVariable, create_many
from resolvers.runtime import Runtime
from tests.resolvers.flows.hive import open_pool, submit
from tests.resolvers.flows.known_hosts import claim, new_host, report_all
from tests.resolvers.flows.model import Job
from tests.resolvers.flows.model import Level as Written


async def test_work_of_flows_goes_before_standing_variables(runtime: Runtime) -> None:
    await open_pool(runtime)
    host = await new_host(runtime)
    await create_many(runtime, "number", [NewVariable(value) for value in range(50)])
    await create_many(runtime, "object", [NewVariable(value) for value in range(50)])
    flow = await submit(runtime, Written([Job("bare")], [Written([Job("number", "three"), Job("other")] * 5)]))
    for _ in range(2):
        claimed = await claim(runtime, host, 5)
        assert [each.task.flow for each in claimed] == [flow.id] * 5
        await report_all(runtime, host, claimed)
    assert [bool(each.task.flow) for each in await claim(runtime, host, 3)] == [True, False, False]
