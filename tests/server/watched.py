"""A server that measures how long its event loop stands still: `python -m tests.server.watched OPTION...`.

Says its address, and then, for each line that it reads, the longest stretch (ms) since the last one. The line
`stand still` makes it stand still first.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

import uvloop

from server.serving import listen, serve, url_of
from server.settings import Settings

TICK_S = 0.001
STILL_S = 0.1


class Watchdog:
    """The longest stretch between two ticks of a loop, in the processor time that this process used meanwhile.

    What the machine gives to others does not count, and work in another thread only as far as the loop has to wait for
    the interpreter.
    """

    def __init__(self) -> None:
        self.longest_ms = 0.0

    async def watch(self) -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(TICK_S)
            self.longest_ms = max(self.longest_ms, (time.process_time() - before) * 1000)

    def report(self) -> float:
        longest, self.longest_ms = self.longest_ms, 0.0
        return longest


async def _stand_still() -> None:
    until = time.process_time() + STILL_S
    while time.process_time() < until:
        pass
    await asyncio.sleep(2 * TICK_S)


async def _run(settings: Settings) -> None:
    watchdog, stop = Watchdog(), asyncio.Event()
    watching = asyncio.create_task(watchdog.watch())
    loop = asyncio.get_running_loop()

    def say(word: object) -> None:
        print(json.dumps(word), flush=True)

    def answer() -> None:
        for line in sys.stdin:
            if line.strip():
                asyncio.run_coroutine_threadsafe(_stand_still(), loop).result()
            say(watchdog.report())
        loop.call_soon_threadsafe(stop.set)

    with listen("127.0.0.1", 0) as listener:
        url = url_of(listener)
        threading.Thread(target=answer, daemon=True).start()
        await serve(settings, listener, stop=stop, ready=lambda _: say(url))
    watching.cancel()


if __name__ == "__main__":
    uvloop.run(_run(Settings.model_validate_json(sys.argv[1])))
