"""A server that measures how long its event loop stands still: `python -m tests.server.watched OPTION...`.

Says its address, and then, for each line that it reads, the longest stretches (ms) since the last one, as `Watchdog`
measures them. The line `stand still` makes it stand still first.
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
    """The longest stretches between two ticks of a loop, in processor time: what the machine gives to others does not
    count.

    Of the loop's own thread, and of the whole process. The latter has what other threads do while the loop waits for
    the interpreter, and, on a busy machine, what they do while it waits for a processor.
    """

    def __init__(self) -> None:
        self._own_ms = self._all_ms = 0.0

    async def watch(self) -> None:
        while True:
            own, all_ = time.thread_time(), time.process_time()
            await asyncio.sleep(TICK_S)
            self._own_ms = max(self._own_ms, (time.thread_time() - own) * 1000)
            self._all_ms = max(self._all_ms, (time.process_time() - all_) * 1000)

    def report(self) -> tuple[float, float]:
        longest = self._own_ms, self._all_ms
        self._own_ms = self._all_ms = 0.0
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
