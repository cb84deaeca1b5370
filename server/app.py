"""The ASGI application: GraphQL, the REST/HAL facade, the pages and the health checks over one runtime."""

from __future__ import annotations

import asyncio
import logging
import math
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from resolvers.addresses import group_of
from resolvers.flows import kind as flows
from resolvers.functions import begin_request
from resolvers.identifiers import address_of
from resolvers.runtime import Runtime, make_runtime
from resolvers.space import RETRY_S, Space
from resolvers.volunteers.blocks import Blocks
from rest_compat import Facade
from sandbox import Sandbox
from schema.machinery.context import Context, bearer_token
from schema.schema import schema
from server.graphql_endpoint import GraphQLEndpoint
from server.graphql_requests import MAX_BODY, MAX_MESSAGE
from server.pages import front_page, graphql_page, page_routes, wants_page
from server.settings import Settings
from server.signing_in.cookies import SessionCookie
from server.signing_in.sessions import Sessions
from server.sweeper import Sweeper
from storage import open_store

CONTEXT_HEADERS = (b"user-agent", b"host", b"authorization")
PING_TIMEOUT_S = 2.0
PREFLIGHT_S = 24 * 3600
STACK_FRAMES = 5_000
"""The input of a flow is read by recursion, ten frames a level and more."""
log = logging.getLogger(__name__)
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


class NoSuchScheduler(Exception):
    """The setting names a job scheduler that is not installed."""


class Service:
    """The parts of one server process, between its start and its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.cookie = SessionCookie(settings.public_url)
        self._public_address = (address_of(settings.public_url),) if settings.public_url else ()
        self._runtime: Runtime | None = None

    @property
    def runtime(self) -> Runtime:
        if self._runtime is None:
            raise RuntimeError("the application has not been started")
        return self._runtime

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Runtime]:
        settings = self._settings
        sys.setrecursionlimit(max(sys.getrecursionlimit(), STACK_FRAMES))
        async with open_store(settings.database) as store, Sandbox(workers=settings.sandbox_workers) as sandbox:
            runtime = await make_runtime(store, sandbox)
            flows.register(runtime)
            runtime.default_scheduler = settings.scheduler
            runtime.name = settings.name
            runtime.wants_tokens = settings.wants_tokens
            runtime.provider_name = settings.oidc_name if settings.oidc_issuer and settings.wants_tokens else ""
            runtime.keeps_private = settings.keeps_private
            runtime.reviews = settings.reviews
            runtime.limits = settings.limits
            runtime.free_bytes = _free_bytes(settings.watched_directory or store.database.directory)
            runtime.request_sandbox_seconds = settings.request_sandbox_seconds
            runtime.takeover_ms = int(settings.takeover_seconds * 1000)
            if settings.scheduler not in runtime.schedulers:
                known = ", ".join(sorted(runtime.schedulers))
                raise NoSuchScheduler(f"there is no job scheduler {settings.scheduler!r}; there are: {known}")
            async with Sweeper(runtime, settings.sweep_seconds), runtime.part(Blocks).kept_fresh():
                self._runtime = runtime
                try:
                    yield runtime
                finally:
                    runtime.drain()
                    await runtime.close()
                    self._runtime = None

    async def context(self, connection: HTTPConnection) -> Context:
        begin_request(self.runtime)
        # Starlette's own view of the headers would be a twentieth of what a read costs.
        headers = dict(connection.scope["headers"])
        agent, host, authorization = (headers.get(name, b"").decode("latin-1") for name in CONTEXT_HEADERS)
        client = connection.client.host if connection.client else ""
        asked_at = f"{host.lower()}{connection.scope.get('root_path', '')}"
        return Context(
            self.runtime,
            f"{client} {agent}",
            (*self._public_address, asked_at),
            bearer_token(authorization),
            group_of(client),
            # The endpoint knows it of other requests.
            weight=MAX_MESSAGE if connection.scope["type"] == "websocket" else 0,
        )

    async def context_of_page(self, connection: HTTPConnection) -> Context:
        """The same with the session that a page of the pool's own shows."""
        context = await self.context(connection)
        context.session = self.cookie.shown(connection.scope)
        return context

    async def ready(self, _: Request) -> Response:
        """503 while the process drains, its store doesn't answer, or there is no room for more work."""
        if self._runtime is None or self._runtime.draining:
            return JSONResponse({"ready": False, "reason": "draining"}, 503)
        try:
            await asyncio.wait_for(self._runtime.store.database.ping(), PING_TIMEOUT_S)
        except Exception as problem:
            return JSONResponse({"ready": False, "reason": type(problem).__name__}, 503)
        if self._runtime.part(Space).is_low:
            return JSONResponse({"ready": False, "reason": "disk"}, 503, {"retry-after": str(RETRY_S)})
        return JSONResponse({"ready": True})


def _free_bytes(directory: str | Path | None) -> Callable[[], float]:
    """What is free on the directory's disk, in bytes; infinite if there is no directory, or it can't be looked at."""

    def free() -> float:
        try:
            return math.inf if directory is None else shutil.disk_usage(directory).free
        except OSError as problem:
            log.warning("the free space of %s can't be seen: %s", directory, problem.strerror)
            return math.inf

    return free


class OpenToScripts(CORSMiddleware):
    """Lets scripts of any origin ask: the API is public, and a cookie counts for the pool's own pages only."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            max_age=PREFLIGHT_S,
        )


class Application(FastAPI):
    """FastAPI for its own routes; every other request goes to the facade at once, `/` too, except for browsers.

    FastAPI's layers and its search for a route would be a fifth of what a read costs, and the facade routes and
    answers errors itself.
    """

    def __init__(self, facade: Facade, public_url: str | None, **options: Any) -> None:
        super().__init__(**options)
        self._facade = facade
        self._public_url = public_url

    def build_middleware_stack(self) -> ASGIApp:
        own = {route.path for route in self.routes if isinstance(route, Route | WebSocketRoute)}
        routed = super().build_middleware_stack()
        front = front_page(self._public_url)

        async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await routed(scope, receive, send)
                return
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path in own:
                await routed(scope, receive, send)
            elif path == "" and scope["type"] == "http" and wants_page(Request(scope)):
                # The page's links are relative to the root's slash.
                await RedirectResponse(f"{scope['path']}/", 308)(scope, receive, send)
            elif path == "/" and scope["type"] == "http" and wants_page(Request(scope)):
                await front(scope, receive, send)
            else:
                await self._facade(scope, receive, send)

        return dispatch


def _provider_routes(service: Service, settings: Settings, sessions: Sessions) -> list[Route]:
    """The routes to sign in by through an OpenID Connect provider. Raises UnreadableSecret."""
    if not settings.oidc_issuer or not settings.wants_tokens:
        return []
    # Authlib and what it needs are a fifth of a second to import.
    from server.signing_in.openid import OpenId  # noqa: PLC0415

    return OpenId(settings, lambda: service.runtime, service.cookie, sessions).routes()


async def _live(_: Request) -> Response:
    return Response(status_code=204)


def create_app(settings: Settings) -> FastAPI:
    """The application of one server process; its lifespan opens and closes all it needs."""
    return application(Service(settings), settings)


def application(service: Service, settings: Settings) -> FastAPI:
    """The application over a service, which its lifespan runs. A server that runs the service itself, to see what
    goes wrong at the start, turns lifespans off."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, object]]:
        async with service.running() as runtime:
            yield {"runtime": runtime}

    graphql = GraphQLEndpoint(schema, service.context_of_page, graphql_page(settings.public_url))
    sessions = Sessions(lambda: service.runtime, service.cookie, settings.session_ms)
    routes = [
        Route("/livez", _live),
        Route("/readyz", service.ready),
        Route("/graphql", OpenToScripts(graphql)),
        WebSocketRoute("/graphql", graphql),
        sessions.route(),
        *_provider_routes(service, settings, sessions),
        *page_routes(settings.public_url),
    ]
    return Application(
        Facade(
            schema, service.context, public_url=settings.public_url, max_body=MAX_BODY, max_answer=settings.answer_bytes
        ),
        settings.public_url,
        lifespan=lifespan,
        routes=routes,
        telemetry=NO_TELEMETRY,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
