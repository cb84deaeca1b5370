"""Functions that keep a worker busy or do not, and what becomes of its process."""

from collections.abc import Awaitable, Callable

import psutil

from sandbox import Function
from tests.processes import is_alive

Until = Callable[[Callable[[], bool]], Awaitable[None]]
ECHO = Function("return variable", ("variable",))
FOREVER = Function("for (;;);", ("variable",))
MOODY = Function("if (variable < 0) for (;;); return variable", ("variable",))


def alive(pid: int) -> bool:
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def computes(pid: int) -> bool:
    return psutil.Process(pid).cpu_times().user > 0.2
