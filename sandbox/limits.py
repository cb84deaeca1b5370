"""What one call of untrusted code may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a worker process and of each call in it.

    Attributes:
        timeout_ms: processor time for one call, in ms, after which the process is killed: some builtins never look up
            when V8 is told to stop. What a busy machine gives to others meanwhile is not counted.
        patience: how many times its `timeout_ms` a call may take by the clock on the wall.
        least_patience_ms: ms by that clock that any call may take, however short its `timeout_ms`: a busy machine lets
            a process wait for hundreds of ms at a time.
        heap_mb: the V8 heap, in MiB. Crossing it aborts the process, so `hard_memory_mb` should strike first.
        hard_memory_mb: heap, in MiB, at which the call is ended in order.
        data_mb: MiB the process may allocate beside what it holds once V8 has started (ArrayBuffers too).
        result_bytes: the longest result, as JSON in UTF-8.
        frame_bytes: the longest message taken from a worker.
        nesting: levels of arrays and objects in what is returned: a context with a result of 100 levels in it.
        webassembly: whether the code sees `WebAssembly`, whose memory only `data_mb` limits.
        flags: V8's flags. V8 ignores every flag after a flag that it doesn't know; workers check at start.
    """

    timeout_ms: int = 500
    patience: int = 20
    least_patience_ms: int = 10_000
    heap_mb: int = 128
    hard_memory_mb: int = 64
    data_mb: int = 384
    result_bytes: int = 1 << 20
    frame_bytes: int = 8 << 20
    nesting: int = 101
    webassembly: bool = False
    flags: tuple[str, ...] = ("--single-threaded", "--jitless", "--stack-size=512")


VALIDATION = Limits()
"""For the server: small, quick calls of code nobody vouches for. Without a JIT V8 has less surface to attack,
and a small validator runs as fast."""

VOLUNTEER = Limits(
    timeout_ms=600_000,
    patience=4,
    heap_mb=2048,
    hard_memory_mb=1024,
    data_mb=4096,
    result_bytes=4 << 20,
    frame_bytes=32 << 20,
    webassembly=True,
    flags=(),
)
"""For a volunteer's machine: long calls at V8's full speed."""
