"""One server process: a socket, the application on it, and an orderly end."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from resolvers.access.first_operator import new_link
from server.app import Service, application
from server.collector import collect_cycles
from server.edge import behind_edge
from server.edge.connections import Pace, http_protocol, websocket_protocol
from server.edge.visitors import Visitors
from server.graphql_requests import MAX_MESSAGE
from server.settings import Settings

BACKLOG = 2048
KEEP_ALIVE_S = 30
UNFINISHED_REQUESTS_S = 10
SWITCH_INTERVAL_S = 0.0005
"""How long the event loop waits for the interpreter while a thread computes. Its rounds are short, and it waits before
each, so that Python's own 5 ms would leave it a tenth of the time."""


class AddressUnavailable(Exception):
    """The address to listen on is taken, not allowed, or not this machine's."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one.

    Raises AddressUnavailable.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise AddressUnavailable(f"can't listen on {host} port {port}: {reason}") from problem
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket as clients write it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def followed_at(settings: Settings, listener: socket.socket, link: str) -> str:
    """The address by which a browser signs in with a one-time link. The link is the address's fragment, which browsers
    send to nobody (https://www.rfc-editor.org/rfc/rfc9110#section-4.2.5); the page posts it."""
    # What listens on all addresses is no address to go to.
    own = url_of(listener).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    return f"{(settings.public_url or own).rstrip('/')}/dashboard#/sign-in?link={link}"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are this process's, which has more to end than its HTTP server."""
        yield


async def serve(
    settings: Settings,
    listener: socket.socket,
    *,
    stop: asyncio.Event,
    ready: Callable[[str], object],
    is_alone: bool = True,
) -> None:
    """Run the pool on a listening socket until `stop` is set; `ready` is called once it answers, with the text
    of the operator's one-time link as long as nobody has operated the pool, otherwise with an empty text: also where
    it is not alone, and the process that started it makes the link.

    Then no more tasks are handed out, requests under way are finished, and the store is closed.
    Raises what opening the store raises.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    service = Service(settings)
    pace = Pace(settings.max_header_bytes, settings.header_seconds, settings.write_seconds)
    visitors = Visitors(settings.address_connections_in_force, settings.proxies)
    async with service.running() as runtime:
        link = await new_link(runtime) if is_alone else ""
        server = _Server(
            uvicorn.Config(
                behind_edge(application(service, settings), settings),
                http=http_protocol(pace, visitors),
                ws=websocket_protocol(pace, visitors),
                ws_max_size=MAX_MESSAGE,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=UNFINISHED_REQUESTS_S,
            )
        )
        collecting = asyncio.create_task(collect_cycles())
        serving = asyncio.create_task(server.serve([listener]))
        ready(link)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        runtime.drain()
        if not serving.done():
            await asyncio.sleep(settings.drain_seconds)
        server.should_exit = True
        await serving
        collecting.cancel()
