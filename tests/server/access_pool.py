"""A pool that wants tokens, in this process, with one principal of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.types import ASGIApp

from resolvers.access import accounts, tokens
from resolvers.access.principals import Principal, Scope
from resolvers.access.tokens import NewToken
from resolvers.flows import submission
from resolvers.flows.structure import NewFlowJob, NewLevel
from resolvers.owners import jobs, variables
from resolvers.runtime import Runtime
from resolvers.volunteers import hosts
from server.app import Service, application
from server.settings import Auth, Settings
from storage import Token
from tests.resolvers.playing import DOUBLE

OWNER = Principal("ada", frozenset({Scope.SUBMIT}))
UNKNOWN = f"cp_{'0' * 16}{'x' * 43}"


@dataclass(slots=True)
class AccessPool:
    """Ada owns the job `work`, the job `public`, which everybody may read, and the flow; bob owns nothing. `tokens` are
    texts by the name of the principal; the reader's and the machine's are ada's too, with the scopes READ and COMPUTE
    alone."""

    app: ASGIApp
    runtime: Runtime
    http: httpx.AsyncClient
    tokens: dict[str, str]
    flow: str
    spare: str
    """The key of a token of ada's that nobody shows."""
    host: str
    """The token of a volunteer's host."""

    def header(self, principal: str) -> dict[str, str]:
        token = self.tokens[principal]
        return {"authorization": f"Bearer {token}"} if token else {}

    async def ask(self, principal: str, document: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer of GraphQL."""
        body = {"query": document, "variables": variables}
        answer: dict[str, Any] = (await self.http.post("/graphql", json=body, headers=self.header(principal))).json()
        return answer

    async def mutate(self, principal: str, name: str, wanted: str, /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation: `wanted` and its user errors."""
        kind = f"{name[0].upper()}{name[1:]}Input"
        document = f"""mutation ($input: {kind}!) {{
          {name}(input: $input) {{ {wanted} userErrors {{ code field message }} }} }}"""
        payload: dict[str, Any] = (await self.ask(principal, document, input=given))["data"][name]
        return payload


@asynccontextmanager
async def access_pool() -> AsyncIterator[AccessPool]:
    settings = Settings(database="mock", sandbox_workers=1, auth=Auth.TOKENS)
    service = Service(settings)
    async with service.running() as runtime:
        app = application(service, settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://pool.example") as http:
            known, spare = await _tokens(runtime)
            host = await hosts.identify(runtime, None)
            yield AccessPool(app, runtime, http, known, await _works(runtime), spare.key, host.token)


async def _tokens(runtime: Runtime) -> tuple[dict[str, str], Token]:
    for name in ("Operator", "Ada", "Bob", "Vol"):
        await accounts.create(runtime, name)

    async def issue(account: str, *scopes: Scope) -> tuple[Token, str]:
        return await tokens.issue(runtime, account, NewToken("test", scopes))

    everything = (Scope.SUBMIT, Scope.READ)
    revoked, expired, spare = [await issue("ada", *everything) for _ in range(3)]
    await runtime.store.tokens.revoke(revoked[0], runtime.now())
    await runtime.store.tokens.set(expired[0].id, {"expires_at": runtime.now() - 1})
    known = {
        "none": "",
        "volunteer": (await issue("vol", Scope.COMPUTE))[1],
        "other owner": (await issue("bob", *everything))[1],
        "reader": (await issue("ada", Scope.READ))[1],
        "machine": (await issue("ada", Scope.COMPUTE))[1],
        "owner": (await issue("ada", *everything))[1],
        "operator": (await issue("operator", *Scope))[1],
        "revoked": revoked[1],
        "expired": expired[1],
        "unknown": UNKNOWN,
        "malformed": "cp_",
    }
    return known, spare[0]


async def _works(runtime: Runtime) -> str:
    """The key of a flow over a job, whose variable is "v"."""
    await jobs.create(runtime, jobs.NewJob("Work", DOUBLE), OWNER)
    await jobs.create(runtime, jobs.NewJob("Public", DOUBLE, policy={"visibility": "PUBLIC"}), OWNER)
    await variables.create_many(runtime, "work", [variables.NewVariable(1, "v")], principal=OWNER)
    flow = await submission.submit(runtime, submission.NewFlow(NewLevel([NewFlowJob("work")])), principal=OWNER)
    return flow.key
