"""Pools to measure, and routes to measure them against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from resolvers.flows import kind as flows
from resolvers.owners import jobs, variables
from resolvers.owners.jobs import NewJob
from resolvers.owners.variables import NewVariable
from resolvers.runtime import Runtime, make_runtime, new_seq
from sandbox import Sandbox
from server.app import create_app
from server.settings import Settings
from storage import UnitState, Variable, open_store

EXECUTE = "function (variable, context) {\n  context.result = variable.x * 2;\n  return context;\n}"
VALIDATE = "(variable, result, context) => context.phase === 'variable' || result === variable.x * 2"
METADATA = {"owner": "bench", "description": {"en": "Doubles a number.", "es": "Duplica un número."}}
AT_ONCE = 10_000


@asynccontextmanager
async def open_runtime(database: str) -> AsyncIterator[Runtime]:
    """A pool without a server."""
    async with open_store(database) as store, Sandbox(workers=1) as sandbox:
        runtime = await make_runtime(store, sandbox)
        flows.register(runtime)
        yield runtime


async def add_job(runtime: Runtime, name: str, count: int, validate_result: str = "") -> None:
    """A job with `count` variables."""
    new = NewJob(name=name, execute_function=EXECUTE, validate_result=validate_result, metadata=METADATA)
    job = await jobs.create(runtime, new)
    for start in range(0, count, AT_ONCE):
        some = [NewVariable({"x": number}) for number in range(start, min(count, start + AT_ONCE))]
        await variables.create_many(runtime, job.key, some)


async def add_waiting(runtime: Runtime, name: str, count: int) -> None:
    """A job with `count` variables that want results, stored without the tasks that lists of them don't look at."""
    job = await jobs.create(runtime, NewJob(name=name, execute_function=EXECUTE, metadata=METADATA))
    for start in range(0, count, AT_ONCE):
        await runtime.store.variables.insert_many(
            [_waiting(runtime, job.key, number) for number in range(start, min(count, start + AT_ONCE))]
        )


def _waiting(runtime: Runtime, job: str, number: int) -> Variable:
    key = new_seq()
    return Variable(
        id=Variable.id_of(job, key),
        job=job,
        key=key,
        value=f'{{"x":{number}}}',
        seq=key,
        rand=runtime.random.random(),
        state=UnitState.OPEN,
        due=0,
        created_at=runtime.now(),
    )


def pool(database: str) -> ASGIApp:
    """The pool as it is served."""
    return create_app(Settings(database=database, sandbox_workers=1))


def bare(answers: Mapping[str, bytes]) -> ASGIApp:
    """Starlette routes that send these bytes, by path, whatever they are asked."""

    def route(path: str, body: bytes) -> Route:
        async def send(request: Request) -> Response:
            await request.body()
            return Response(body, media_type="application/json")

        return Route(path, send, methods=["GET", "POST"])

    return Starlette(routes=[route(path, body) for path, body in answers.items()])


def hand_written(name: str) -> ASGIApp:
    """`GET /jobs/{key}` as one would write it by hand, for this route alone, over a pool with one job."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Runtime]]:
        async with open_runtime("mock") as runtime:
            await add_job(runtime, name, 1)
            yield {"runtime": runtime}

    async def get_job(request: Request) -> Response:
        job = await jobs.get(request.state.runtime, request.path_params["key"])
        root = str(request.base_url).rstrip("/")
        here = f"{root}/jobs/{job.key}"
        links = {
            "self": here,
            "get_variables": f"{here}/variables",
            "api-root": f"{root}/",
            "jobs-root": f"{root}/jobs",
            "variables-root": f"{here}/variables",
            "get-job": here,
        }
        document = {
            "_links": {rel: {"href": href} for rel, href in links.items()},
            "key": job.key,
            "name": job.name,
            "owner": job.owner,
            "state": job.state,
            "execute_function": job.execute_body,
            "sha256": job.sha256,
            "metadata": orjson.Fragment(job.metadata),
            "created_at": job.created_at,
        }
        return Response(orjson.dumps(document), media_type="application/hal+json")

    return Starlette(routes=[Route("/jobs/{key}", get_job)], lifespan=lifespan)
