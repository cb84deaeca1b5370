"""The engine agrees with the model of what a flow means, for any flow and in whatever order its results arrive."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox import Sandbox
from storage import open_store
from tests.resolvers.flows.hive import CHEAT, HONEST, Stored, Volunteers, check_nothing_is_left, open_pool, submit
from tests.resolvers.flows.model import Level
from tests.resolvers.flows.written import levels
from tests.resolvers.playing import Clock, process

SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


async def _agree(sandbox: Sandbox, root: Level, keep_going: bool, seed: int, hosts: tuple[str, ...]) -> None:
    async with open_store("mock") as store:
        clock = Clock()
        runtime = await process(store.database, sandbox, clock, seed)
        await open_pool(runtime)
        flow = await submit(runtime, root, keep_going)
        flow = await Volunteers(random.Random(seed), hosts).finish(runtime, clock, flow)
        (await Stored.read(runtime, flow, root)).check()
        await check_nothing_is_left(runtime, flow)


@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(root=levels(1), keep_going=st.booleans(), seed=st.integers(0, 1_000_000))
async def test_any_flow_ends_as_the_model_says(sandbox: Sandbox, root: Level, keep_going: bool, seed: int) -> None:
    await _agree(sandbox, root, keep_going, seed, HONEST)


@settings(max_examples=20, deadline=None, suppress_health_check=SHARED)
@given(root=levels(2), keep_going=st.booleans(), seed=st.integers(0, 1_000_000))
async def test_a_cheat_changes_nothing_where_two_must_agree(
    sandbox: Sandbox, root: Level, keep_going: bool, seed: int
) -> None:
    await _agree(sandbox, root, keep_going, seed, (*HONEST, CHEAT))


@pytest.mark.soak
@settings(max_examples=3_000, deadline=None, suppress_health_check=SHARED)
@given(root=levels(1, 2), keep_going=st.booleans(), seed=st.integers(0, 1_000_000))
async def test_thousands_of_flows_end_as_the_model_says(
    sandbox: Sandbox, root: Level, keep_going: bool, seed: int
) -> None:
    await _agree(sandbox, root, keep_going, seed, HONEST)
