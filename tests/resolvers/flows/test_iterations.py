"""How often a `while` may hold."""

from resolvers.flows import control, reading
from resolvers.runtime import Runtime
from storage.flows import FlowState
from tests.resolvers.flows.hive import jobs_of, open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.one_host import work
from tests.resolvers.flows.written import below


async def test_a_retry_gives_a_job_all_its_iterations_anew_and_goes_on_where_it_was(runtime: Runtime) -> None:
    await open_pool(runtime, max_iterations=50)
    flow = await submit(runtime, Level([Job("count", "only", repeat=below(8), policy={"max_iterations": 4})]))
    made = []
    while (flow := await work(runtime, flow)).state == FlowState.FAILED:
        assert "its `while` still held after 4 runs (max_iterations)" in flow.reason
        [flow_job] = await jobs_of(runtime, flow)
        made.append(len(await reading.runs_page(runtime, flow_job, first=100)))
        await control.retry(runtime, flow.key)
    assert flow.state == FlowState.COMPLETED
    assert flow.result == '{"count":8}'
    # The run whose `while` held for once too often is made again.
    assert made == [4, 8]
    [flow_job] = await jobs_of(runtime, flow)
    assert flow_job.iteration + 1 == 8
