"""Hearing of changes at once, where the database reports them: MongoDB's change streams, which replica sets and
sharded clusters have (https://www.mongodb.com/docs/manual/changeStreams/)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from bson import Timestamp
from pymongo.errors import AutoReconnect, PyMongoError

from storage.engines.retries import until_answered

log = logging.getLogger(__name__)

QUIET_S = 2.0
"""How long nobody looks while a change stream reports nothing, in seconds."""
_AWAIT_MS = 1_000


class Changes:
    """When documents of some collections change, whichever process changes them.

    Take a `moment`, look, and `wait` from that moment on: then no change falls in between. What has changed is for the
    reader to find out; a stream only says when to look.
    """

    def __init__(self, motor: Any, collections: Sequence[str]) -> None:
        """`collections` of the Motor database `motor`."""
        self._motor = motor
        self._collections = collections
        self._told = True

    async def moment(self) -> Timestamp | None:
        """The database's own time; None where it reports no changes.

        Raises:
            StorageUnavailable: it doesn't answer.
        """
        if not self._told:
            return None
        answer = await until_answered(lambda: self._motor.command("ping"))
        # Members of a replica set and routers of a cluster send it with every answer, and no others do.
        moment: Timestamp | None = answer.get("operationTime")
        self._told = moment is not None
        return moment

    async def wait(self, since: Timestamp | None) -> None:
        """Return when something has changed after a moment, and after `QUIET_S` at the latest; at once where the
        database reports no changes."""
        if since is None:
            return
        following = Timestamp(since.time, since.inc + 1)
        first = [asyncio.create_task(self._first_change(name, following)) for name in self._collections]
        try:
            ended, _ = await asyncio.wait(first, timeout=QUIET_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in first:
                each.cancel()
            await asyncio.gather(*first, return_exceptions=True)
        for each in ended:
            self._note(each.exception())

    async def _first_change(self, collection: str, since: Timestamp) -> None:
        stream = self._motor[collection].watch(
            [{"$project": {"_id": 1}}], start_at_operation_time=since, max_await_time_ms=_AWAIT_MS
        )
        async with stream:
            async for _ in stream:
                return

    def _note(self, problem: BaseException | None) -> None:
        """A database that refuses change streams, to this user for instance, is asked for none again."""
        if isinstance(problem, PyMongoError) and not isinstance(problem, AutoReconnect):
            log.info("changes are looked for, as the database reports none: %s", problem)
            self._told = False
        elif problem is not None and not isinstance(problem, PyMongoError):
            raise problem
