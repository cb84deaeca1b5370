"""Server processes without a server."""

from collections.abc import Callable

from resolvers.flows import kind as flows
from resolvers.runtime import Runtime, make_runtime
from sandbox import Sandbox
from storage import Store


async def start_runtime(store: Store, sandbox: Sandbox, now: Callable[[], int] | None = None) -> Runtime:
    """The runtime of a process that knows of flows, as a server's does."""
    runtime = await make_runtime(store, sandbox, now)
    flows.register(runtime)
    return runtime
