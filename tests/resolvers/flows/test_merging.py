"""What parallel jobs made becomes one object, of a bounded length."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from resolvers import json_text
from resolvers.flows import reading
from resolvers.flows.merging import Merge, TooMuch
from resolvers.runtime import Runtime
from resolvers.volunteers import claims, reports
from resolvers.volunteers.claims import ClaimRequest
from storage import FlowState
from tests.resolvers.flows.hive import open_pool, submit
from tests.resolvers.flows.model import Job, Level

names = st.sampled_from("abc")
values = st.one_of(st.integers(0, 9), st.none(), st.dictionaries(names, st.integers(0, 9), max_size=3))
PARTS = st.lists(st.tuples(names, values), max_size=8)


def merged(parts: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    made: dict[str, Any] = {}
    for name, value in parts:
        made |= value if isinstance(value, dict) else {name: value}
    return made


def written(parts: Sequence[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(name, orjson.dumps(value).decode()) for name, value in parts]


@given(PARTS, PARTS)
def test_objects_are_assigned_in_order_and_anything_else_is_set_under_its_name(
    first: list[tuple[str, Any]], second: list[tuple[str, Any]]
) -> None:
    merge = Merge(most=1_000)
    merge.add(written(first))
    merge.add(written(second))
    assert orjson.loads(merge.text()) == merged([*first, *second])


@given(PARTS, st.integers(2, 30))
def test_it_is_too_much_when_what_is_merged_so_far_is_too_long(parts: list[tuple[str, Any]], most: int) -> None:
    longest = max(len(orjson.dumps(merged(parts[:end]))) for end in range(len(parts) + 1))
    merge = Merge(most)
    try:
        merge.add(written(parts))
        text = merge.text()
    except TooMuch:
        assert longest > most
    else:
        assert len(text) <= most


async def test_what_is_assigned_many_times_counts_once() -> None:
    merge = Merge(most=100)
    for _ in range(50):
        merge.add([("same", '"' + "x" * 50 + '"')])
    assert len(merge.text()) < 100


async def test_a_level_fails_where_its_jobs_could_not_report_their_context(runtime: Runtime) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("bare")], [Level([Job("number", "three")] * 3)]))
    half = "x" * (json_text.MAX_BYTES * 2 // 5)
    for claimed in (await claims.claim(runtime, ClaimRequest("ann", 3))).tasks:
        [receipt] = await reports.submit(runtime, "ann", [reports.Report(claimed.task.id, claimed.task.lease, half)])
        assert receipt.problem is None
    flow = await reading.get(runtime, flow.key)
    assert (flow.state, flow.reason) == (
        FlowState.FAILED,
        "the merged results below it are over 1,000,000 bytes of JSON",
    )


async def test_a_result_that_is_nested_too_deeply_is_turned_away_and_its_flow_goes_on(
    runtime: Runtime, chance: random.Random
) -> None:
    await open_pool(runtime)
    flow = await submit(runtime, Level([Job("number", "three")]))
    [claimed] = (await claims.claim(runtime, ClaimRequest("ann"))).tasks
    deep: Any = []
    for _ in range(json_text.MAX_NESTING):
        deep = [deep]
    for value, refused in ((deep, True), (deep[0], False)):
        [receipt] = await reports.submit(runtime, "ann", [reports.Report(claimed.task.id, claimed.task.lease, value)])
        assert (receipt.problem is not None) == refused
    assert (await reading.get(runtime, flow.key)).state == FlowState.COMPLETED
