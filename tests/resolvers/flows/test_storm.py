"""Many flows at once on two server processes, while their owners change their minds."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from resolvers.errors import Conflict
from resolvers.flows import control, reading
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from resolvers.volunteers.picking import ClaimedTask
from sandbox import Sandbox
from storage import Flow, FlowState, NodeState, Store, open_store
from tests.resolvers.flows.hive import Stored, Volunteers, check_nothing_is_left, open_pool, submit
from tests.resolvers.flows.model import Job, Level
from tests.resolvers.flows.shapes import FLOWS
from tests.resolvers.playing import Clock, interleaved, process

WIDE = Level([Job("count")], [Level([Job("number", "three")] * 12 + [Job("flaky")] * 2), Level([Job("object")] * 6)])
SHAPES = [*FLOWS.values(), WIDE]
PLANS: Sequence[Sequence[Callable[[Runtime, str], Awaitable[Flow]]]] = (
    (),
    (),
    (control.cancel,),
    (control.pause, control.resume),
    (control.cancel, control.retry),
    (control.pause, control.cancel),
    (control.pause, control.cancel, control.retry),
    (control.cancel, control.retry, control.pause, control.resume, control.cancel, control.retry),
)
PATIENCE_S = 1_200.0


@dataclass(slots=True)
class Storm:
    """What happens to some flows, and what their owners managed to do to each."""

    processes: Sequence[Runtime]
    clock: Clock
    chance: random.Random
    roots: dict[str, Level] = field(default_factory=dict)
    history: dict[str, list[str]] = field(default_factory=dict)
    over: bool = False

    async def rage(self, flows: int, hosts: int) -> None:
        names = [f"host{number}" for number in range(hosts)]
        async with asyncio.TaskGroup() as group:
            time_passes = group.create_task(self._pass_time())
            volunteers = [group.create_task(self._volunteer(name)) for name in names]
            await asyncio.gather(*(self._own(number) for number in range(flows)))
            self.over = True
            await asyncio.gather(*volunteers, time_passes)

    async def _own(self, number: int) -> None:
        """Submit a flow, do to it what its plan says, and wait for its end."""
        runtime = self.chance.choice(self.processes)
        root = SHAPES[number % len(SHAPES)]
        flow = await submit(runtime, root, keep_going=self.chance.random() < 0.5)
        self.roots[flow.key], self.history[flow.key] = root, []
        for act in self.chance.choice(PLANS):
            await self._wait(self.chance.randrange(40))
            try:
                await act(self.chance.choice(self.processes), flow.key)
            except Conflict as refused:
                self.history[flow.key].append(f"{act.__name__} refused: {refused.message}")
            else:
                self.history[flow.key].append(act.__name__)
        while not (await reading.get(runtime, flow.key)).ended:
            await self._wait(20)

    async def _wait(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0.001)

    async def _volunteer(self, name: str) -> None:
        held: list[tuple[str, ClaimedTask]] = []
        volunteer = Volunteers(self.chance, (name,))
        while not self.over:
            if not await volunteer.take_turn(self.chance.choice(self.processes), held):
                await self._wait(5)

    async def _pass_time(self) -> None:
        """Half a minute in each round: sweepers take over what other processes are still at."""
        while not self.over:
            self.clock.advance(30)
            await sweep(self.chance.choice(self.processes))
            await self._wait(10)


async def _check(storm: Storm, runtime: Runtime) -> Counter[str]:
    """Every flow ended in a state that its history explains; how many in which."""
    states: Counter[str] = Counter()
    for key, root in storm.roots.items():
        flow = await reading.get(runtime, key)
        history = storm.history[key]
        states[flow.state] += 1
        (await Stored.read(runtime, flow, root)).check()
        await check_nothing_is_left(runtime, flow)
        assert flow.generation == history.count("retry"), history
        if flow.state == FlowState.CANCELLED:
            assert "cancel" in history
            assert "retry" not in history[history.index("cancel") :] or history.count("cancel") > 1
        by_state = await runtime.store.flow_jobs.count_by("state", {"flow": flow.id})
        assert by_state.keys() <= {NodeState.COMPLETED, NodeState.FAILED, NodeState.SKIPPED, NodeState.CANCELLED}
    return states


async def _rage(store: Store, sandbox: Sandbox, seed: int, flows: int, hosts: int) -> None:
    clock, chance, began = Clock(), random.Random(seed), time.monotonic()
    processes = [await process(store.database, sandbox, clock, seed + number) for number in range(2)]
    await open_pool(processes[0])
    storm = Storm(processes, clock, chance)
    async with asyncio.timeout(PATIENCE_S):
        await storm.rage(flows, hosts)
    for _ in range(4):
        clock.advance(601)
        await sweep(processes[0])
    states = await _check(storm, processes[0])
    acts = Counter(act.partition(":")[0] for acts in storm.history.values() for act in acts)
    print(f"{flows} flows, {hosts} volunteers, {time.monotonic() - began:.1f} s: {dict(states)}; {dict(acts)}")


@pytest.mark.parametrize("seed", range(3))
async def test_every_flow_of_a_small_storm_ends_in_a_state_that_its_history_explains(
    seed: int, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with interleaved(monkeypatch, random.Random(seed)):
        await _rage(store, sandbox, seed, flows=9, hosts=6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
async def test_every_flow_of_a_storm_ends_in_a_state_that_its_history_explains(
    seed: int, engine_location: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(engine_location) as store:
        with interleaved(monkeypatch, random.Random(seed)):
            await _rage(store, sandbox, seed, flows=50, hosts=20)
