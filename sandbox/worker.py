"""The process that untrusted code runs in. It trusts the server, and the server believes it nothing.

The server sends `{inspect, parameters}`, or `{open, parameters, wanted, most_bytes}` followed by any number of
`{call}`; each but `open` is answered. `{recycle: true}` ends the turn: the worker says that it is ready only
when the old context is closed and a new one stands, so no owner pays for what another left running.
"""

import json
import os
import sys
from typing import BinaryIO

from sandbox import frames
from sandbox.confinement import fix_memory, leave_the_system
from sandbox.engine import Context, FlagsIgnored, start
from sandbox.limits import Limits
from sandbox.outcomes import FailureKind, Unparsable, Wanted


def main() -> None:
    """Serve until the server hangs up or a call has used up this process."""
    settings = json.loads(sys.argv[-1])
    limits = Limits(**{**settings["limits"], "flags": tuple(settings["limits"]["flags"])})
    inbox, outbox = _take_pipes()
    leave_the_system(settings["parent_pid"])
    try:
        start(limits)
    except FlagsIgnored as error:
        outbox.write(frames.pack({"unfit": str(error)}))
        os._exit(1)
    _serve(limits, inbox, outbox)
    os._exit(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # V8 writes "Uncaught ..." to stdout
        os.dup2(null, descriptor)
    os.close(null)
    return inbox, outbox


def _serve(limits: Limits, inbox: BinaryIO, outbox: BinaryIO) -> None:
    context = Context(limits)
    fix_memory(limits.data_mb << 20)
    reply: frames.Message | None = {"ready": True}
    wanted, most_bytes = Wanted.VALUE, limits.result_bytes
    while True:
        if reply is not None:
            rest = memoryview(frames.pack(reply))
            while rest:
                rest = rest[outbox.write(rest) :]
            if reply.get("kind") == FailureKind.MEMORY:
                return
        request = frames.read(inbox)
        match request:
            case {"open": source, "parameters": parameters, "wanted": name, "most_bytes": most}:
                context.prepare(source, parameters)
                wanted, most_bytes = Wanted(name), most or limits.result_bytes
                reply = None
            case {"call": arguments}:
                kind, text = context.call(arguments, wanted, most_bytes)
                reply = {"kind": kind, "text": text}
            case {"inspect": source, "parameters": parameters}:
                try:
                    reply = context.inspect(source, parameters)
                except Unparsable as error:
                    reply = {"message": error.message, "line": error.line, "column": error.column}
            case {"recycle": True}:
                context.close()
                context = Context(limits)
                reply = {"ready": True}
            case _:
                return
