"""The demo itself: a server, jobs, volunteers, and the check of what they came to."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cli.demo.flow import FlowOutcome, run_flow
from cli.demo.outcome import JobOutcome, Outcome, VolunteerOutcome, read_outcome
from cli.demo.state import FLOW_PHASE, JobState, State, VolunteerState
from comp_pool import PoolClient
from comp_pool.loading import Loader, read_workload
from server.serving import listen, serve, url_of
from server.settings import Settings
from volunteer import Identity, Options, Volunteer, forgotten

FILE = Path(__file__).parent / "demo.yaml"
HONEST = ("Ada", "Grace")
CHEAT = "Mallory"
LOOK_S = 0.2
LONGEST_WAIT_S = 0.5

COUNTS = "query Counts($key: String!) { job(key: $key) { variableCounts { done } policy { quorum } } }"


class Demo:
    """One run. `state` says where it stands while it goes on."""

    def __init__(self) -> None:
        self.state = State()

    async def run(self) -> Outcome:
        """Run the demo to its end.

        Raises what starting a server raises, and what a volunteer raises.
        """
        with tempfile.TemporaryDirectory(prefix="comp-pool-demo-") as directory:
            async with _server(Path(directory)) as url, PoolClient(url) as client:
                self.state.url = url
                await self._load_jobs(client)
                hosts, flow = await self._compute(client)
                self.state.phase = "checking every result"
                outcome = await read_outcome(client, *self._people_and_jobs(hosts), flow, self.state)
                self.state.phase = "done"
                return outcome

    async def _load_jobs(self, client: PoolClient) -> None:
        self.state.phase = "loading the jobs"
        workload = read_workload(FILE.name, FILE.read_text(encoding="utf-8"), FILE.parent)
        await Loader(client, patience_s=0).load(workload)
        for job in workload.jobs:
            assert job.input
            quorum = (await client.call(COUNTS, key=job.key))["job"]["policy"]["quorum"]
            self.state.jobs.append(JobState(job.key, job.input["name"], quorum, len(job.variables)))

    async def _compute(self, client: PoolClient) -> tuple[list[Identity], FlowOutcome]:
        """Have the volunteers compute until every variable has its canonical result, and then a flow; who they were,
        and how the flow ended."""
        self.state.phase = "computing"
        self.state.volunteers = [VolunteerState(name, name == CHEAT) for name in (*HONEST, CHEAT)]
        identities = [forgotten() for _ in self.state.volunteers]
        stop = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                # The cheat comes first, and gets its share on the slowest machine.
                for who, identity in reversed([*zip(self.state.volunteers, identities, strict=True)]):
                    group.create_task(_volunteer(client.url, who, identity, stop))
                    await who.taken_in.wait()
                while not self.state.is_computed:
                    await asyncio.sleep(LOOK_S)
                    await self._look(client)
                self.state.phase = FLOW_PHASE
                flow = await run_flow(client, self.state.flow.update)
                stop.set()
        except ExceptionGroup as problems:
            raise problems.exceptions[0] from problems
        return identities, flow

    async def _look(self, client: PoolClient) -> None:
        for job in self.state.jobs:
            if job.done < job.variables:
                job.done = (await client.call(COUNTS, key=job.key))["job"]["variableCounts"]["done"]

    def _people_and_jobs(self, hosts: list[Identity]) -> tuple[list[JobOutcome], list[VolunteerOutcome]]:
        jobs = [JobOutcome(job.key, job.name, job.quorum) for job in self.state.jobs]
        people = zip(self.state.volunteers, hosts, strict=True)
        return jobs, [VolunteerOutcome(who.name, who.cheats, host.key) for who, host in people]


@asynccontextmanager
async def _server(directory: Path) -> AsyncIterator[str]:
    """A pool on a free port and a database of its own."""
    settings = Settings(port=0, database=str(directory / "pool"), sandbox_workers=1)
    stop, ready = asyncio.Event(), asyncio.Event()
    with listen(settings.host, settings.port) as listener:
        serving = asyncio.create_task(serve(settings, listener, stop=stop, ready=lambda _: ready.set()))
        starting = asyncio.create_task(ready.wait())
        await asyncio.wait({serving, starting}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            starting.cancel()
            await serving
        try:
            yield url_of(listener)
        finally:
            stop.set()
            await serving


async def _volunteer(url: str, who: VolunteerState, identity: Identity, stop: asyncio.Event) -> None:
    options = Options(name=who.name, longest_wait_s=LONGEST_WAIT_S)
    tamper = _tampered if who.cheats else None
    async with PoolClient(url) as client:
        await Volunteer(client, identity, options, tell=who.tell, tamper=tamper).run(stop)


def _tampered(value: Any) -> Any:
    """The same with one added to every number."""
    if isinstance(value, dict):
        return {name: _tampered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_tampered(each) for each in value]
    return value + 1
