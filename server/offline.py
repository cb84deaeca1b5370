"""The pool's rules over a store without a server: for what needs no sandbox."""

from __future__ import annotations

from resolvers.flows import kind as flows
from resolvers.runtime import Runtime, make_runtime
from sandbox import Sandbox
from server.settings import Settings
from storage import Store


async def runtime_over(store: Store, settings: Settings) -> Runtime:
    """A runtime over an open store, whose sandbox is not started."""
    runtime = await make_runtime(store, Sandbox(workers=1))
    flows.register(runtime)
    runtime.wants_tokens = settings.wants_tokens
    return runtime
