"""One message to a worker, and what its answer means."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from sandbox.frames import BrokenFrame
from sandbox.outcomes import FailureKind, NotRun, Outcome, Returned, SourceForm, SourceKind, Threw, Unparsable
from sandbox.process import Starved, Worker

ERROR_LENGTH = 500
BUSY = "this machine was too busy to run it"
UNEXPLAINED = "its process did not say why"
KILLED = "something on this machine killed the process that ran it"
# How V8 ends the process when it gets no more memory.
OUT_OF_MEMORY = {signal.SIGTRAP, signal.SIGABRT}


async def call(worker: Worker, arguments: Sequence[str], timeout_ms: int) -> Outcome:
    """The outcome of one call; afterwards the worker may have been killed."""
    worker.send({"call": list(arguments)})
    try:
        reply = await worker.answer(timeout_ms)
    except TimeoutError:
        worker.kill()
        return Threw(f"it took longer than {timeout_ms} ms", FailureKind.TIMEOUT)
    except Starved:
        worker.kill()
        return Threw(BUSY, FailureKind.STARVED)
    except BrokenFrame as error:
        ended_by = await worker.stop()
        if ended_by in OUT_OF_MEMORY:
            return Threw("it took more memory than allowed and was killed", FailureKind.MEMORY)
        if ended_by == signal.SIGKILL:
            return Threw(KILLED, FailureKind.KILLED)
        return Threw(f"its process crashed: {ended_by.name if ended_by else error}", FailureKind.CRASH)
    match reply:
        case {"kind": "returned", "text": str(text)}:
            return Returned(text)
        case {"kind": str(kind), "text": str(text)} if kind in FailureKind.__members__.values():
            if kind == FailureKind.MEMORY:
                worker.kill()  # its V8 may still be at it
            return Threw(text[:ERROR_LENGTH] or UNEXPLAINED, FailureKind(kind))
    worker.kill()
    return Threw("its process sent nonsense and was killed", FailureKind.CRASH)


async def inspect(
    worker: Worker, source: str, parameters: Sequence[str], timeout_ms: int
) -> SourceForm | Unparsable | NotRun:
    """How V8 reads a source, or why it doesn't; afterwards the worker may have been killed."""
    worker.send({"inspect": source, "parameters": list(parameters)})
    try:
        found = await worker.answer(timeout_ms)
    except TimeoutError:
        worker.kill()
        return Unparsable("The source could not be read in time", 1, 1)
    except Starved:
        worker.kill()
        return NotRun(BUSY)
    except BrokenFrame:
        if await worker.stop() == signal.SIGKILL:
            return NotRun(KILLED)
        return Unparsable("The source could not be read: it crashed the process", 1, 1)
    match found:
        case {"kind": str(kind), "body": str(body)}:
            return SourceForm(SourceKind(kind), body)
        case {"message": str(message), "line": int(line), "column": int(column)}:
            return Unparsable(message[:ERROR_LENGTH], line, column)
    return Unparsable("The source could not be read", 1, 1)
