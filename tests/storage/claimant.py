"""A server process that claims all it can: `python claimant.py URI one|many`.

It says READY, waits for a line on standard input, and prints the `_id`s that it claimed, one a line.
"""

import asyncio
import random
import sys
from uuid import uuid4

from storage.engines import Collection, open_database

_READY = {"status": {"$eq": "ready"}}


async def _claim_one(tasks: Collection) -> list[str]:
    """Claim the first ready task from a random position on, or else the first of all."""
    lease = {"$set": {"status": "leased", "lease": uuid4().hex}, "$inc": {"attempt": 1}}
    for start in (random.random(), 0.0):
        task = await tasks.find_one_and_update({**_READY, "rand": {"$gte": start}}, lease, sort=[("rand", 1)])
        if task:
            return [task["_id"]]
    return []


async def _claim_many(tasks: Collection) -> list[str]:
    """Claim what is still ready of ten tasks that were; nothing when none was."""
    while ready := await tasks.find(_READY, limit=10, sort=[("rand", 1)]):
        lease = uuid4().hex
        await tasks.update_many(
            {"_id": {"$in": [task["_id"] for task in ready]}, **_READY},
            {"$set": {"status": "leased", "lease": lease}, "$inc": {"attempt": 1}},
        )
        if claimed := await tasks.find({"lease": {"$eq": lease}}, limit=10):
            return [task["_id"] for task in claimed]
    return []


async def main(uri: str, how: str) -> None:
    claim = {"one": _claim_one, "many": _claim_many}[how]
    async with open_database(uri, indexes={}) as database:
        tasks = database.collection("tasks")
        print("READY", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        while claimed := await claim(tasks):
            print(*claimed, sep="\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
