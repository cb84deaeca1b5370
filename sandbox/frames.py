"""Messages between the server and a worker: four bytes of length, big-endian, then JSON in UTF-8."""

import asyncio
import json
import struct
from typing import Any, BinaryIO

Message = dict[str, Any]
LENGTH = struct.Struct(">I")


class BrokenFrame(Exception):
    """The other side ended, or sent what is no message or too long for one."""


def pack(message: Message) -> bytes:
    """The bytes of a message."""
    payload = json.dumps(message).encode("ascii")
    return LENGTH.pack(len(payload)) + payload


def read(stream: BinaryIO) -> Message | None:
    """The next message of the server, which is trusted; None at the stream's end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    message: Message = json.loads(stream.read(LENGTH.unpack(head)[0]))
    return message


async def receive(stream: asyncio.StreamReader, limit: int) -> Message:
    """The next message of a worker, of which nothing is taken on trust.

    Args:
        stream: the worker's pipe.
        limit: the longest message to take, in bytes.

    Raises:
        BrokenFrame: there is no such message.
    """
    try:
        (length,) = LENGTH.unpack(await stream.readexactly(LENGTH.size))
        if length > limit:
            raise BrokenFrame(f"a message of {length} bytes")
        message = json.loads(await stream.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise BrokenFrame("the worker ended") from error
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("not JSON") from error
    if not isinstance(message, dict):
        raise BrokenFrame("not a message")
    return message
