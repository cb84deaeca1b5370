"""A volunteer that the pool's operator has blocked."""

import asyncio

from comp_pool import PoolClient
from tests.volunteer.running import DEADLINE_S, compute, of_kind
from tests.volunteer.work import ENDLESS, add_job
from volunteer import Claimed, Computed, Event, Lost, Options, Volunteer, Waiting, Warned, forgotten

BLOCK = "mutation ($input: BlockHostInput!) { blockHost(input: $input) { userErrors { message code } } }"


async def test_it_says_so_drops_what_it_holds_and_comes_back_late(client: PoolClient) -> None:
    await add_job(client, ENDLESS, [1])
    events: list[Event] = []
    heard, stop = asyncio.Condition(), asyncio.Event()

    async def until(kind: type, **said: str) -> Event:
        """The first event of a kind that says so."""
        async with asyncio.timeout(DEADLINE_S), heard:
            while True:
                for event in of_kind(events, kind):
                    if all(getattr(event, name) == value for name, value in said.items()):
                        return event
                await heard.wait()

    async def notify() -> None:
        async with heard:
            heard.notify_all()

    def tell(event: Event) -> None:
        events.append(event)
        notifying.add(asyncio.ensure_future(notify()))

    notifying: set[asyncio.Future[None]] = set()
    identity = forgotten()
    running = asyncio.create_task(Volunteer(client, identity, Options(concurrency=2), tell=tell).run(stop))
    await until(Claimed)
    await client.mutate(BLOCK, host=identity.key, reason="It cheats.")
    waiting = await until(Waiting, why="BLOCKED")
    stop.set()
    await running
    assert isinstance(waiting, Waiting)
    assert waiting.seconds >= 900
    assert of_kind(events, Lost)
    assert any("has blocked this host" in str(event) for event in of_kind(events, Warned))
    assert not of_kind(await compute(client, identity=identity), Computed)
