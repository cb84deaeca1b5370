"""The one-time link by which a pool's first operator signs in."""

from __future__ import annotations

import asyncio

import pytest

from resolvers.access import accounts, first_operator, sessions, tokens
from resolvers.access.principals import Scope, UnknownToken, authenticated, of_session
from resolvers.access.tokens import NewToken
from resolvers.deleting import accounts as deleting
from resolvers.errors import Unauthenticated
from resolvers.runtime import Runtime
from storage import Store
from tests.resolvers.playing import Clock

HOUR_MS = 3_600_000
DAY_S = 24 * 3600


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    runtime.wants_tokens = True
    return runtime


async def follow(runtime: Runtime, link: str) -> str:
    """The text of the session."""
    return (await first_operator.follow(runtime, link, HOUR_MS))[1]


async def test_it_signs_an_operator_in_once(runtime: Runtime) -> None:
    link = await first_operator.new_link(runtime)
    session = await follow(runtime, link)
    principal = await of_session(runtime, session)
    assert (principal.account, principal.is_operator) == ("operator", True)
    with pytest.raises(Unauthenticated, match="works once"):
        await follow(runtime, link)
    assert (await of_session(runtime, session)).is_operator
    assert await first_operator.new_link(runtime) == ""


async def test_of_many_who_follow_it_at_once_one_is_signed_in(runtime: Runtime) -> None:
    link = await first_operator.new_link(runtime)
    outcomes = await asyncio.gather(*(follow(runtime, link) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, Unauthenticated) for each in outcomes) == 9


async def test_the_next_start_makes_another_one_until_it_is_followed(runtime: Runtime) -> None:
    await accounts.create(runtime, "Ada")
    await tokens.issue(runtime, "ada", NewToken("laptop", (Scope.SUBMIT,)))
    links = [await first_operator.new_link(runtime) for _ in range(3)]
    assert len(set(links)) == 3
    for ended in links[:2]:
        with pytest.raises(Unauthenticated):
            await follow(runtime, ended)
    await follow(runtime, links[2])


async def test_it_ends_after_a_day(runtime: Runtime, clock: Clock) -> None:
    link = await first_operator.new_link(runtime)
    clock.advance(DAY_S)
    with pytest.raises(Unauthenticated):
        await follow(runtime, link)
    assert await first_operator.new_link(runtime)


async def test_there_is_none_where_an_operator_has_a_token_or_nobody_needs_one(runtime: Runtime) -> None:
    runtime.wants_tokens = False
    assert await first_operator.new_link(runtime) == ""
    runtime.wants_tokens = True
    for at in range(150):
        await accounts.create(runtime, f"Owner {at}")
        await tokens.issue(runtime, f"owner-{at}", NewToken("laptop", (Scope.SUBMIT,)))
    await tokens.issue(runtime, "owner-0", NewToken("operator", (Scope.OPERATE,)))
    assert await first_operator.new_link(runtime) == ""


async def test_a_pool_whose_operator_is_deleted_gets_another_link(runtime: Runtime) -> None:
    link = await first_operator.new_link(runtime)
    await deleting.delete(runtime, "operator")
    with pytest.raises(Unauthenticated):
        await follow(runtime, link)


async def test_it_is_no_token_and_no_session_and_is_kept_nowhere(runtime: Runtime, store: Store) -> None:
    link = await first_operator.new_link(runtime)
    secret = link.removeprefix("cl_")
    for text in (link, f"cp_{secret}"):
        with pytest.raises(UnknownToken):
            await authenticated(runtime, text)
        with pytest.raises(UnknownToken):
            await sessions.open_with_token(runtime, text, HOUR_MS)
    assert not (await of_session(runtime, f"cs_{secret}")).is_operator
    assert not (await of_session(runtime, link)).is_operator
    [stored] = await store.database.collection("tokens").find({}, limit=2)
    assert secret[16:] not in str(stored)
    assert (await store.tokens.page({}, first=2))[0].is_link


@pytest.mark.parametrize("text", ["", "cl_", "cp_" + "0" * 16 + "x" * 43, "cl_" + "0" * 16 + "x" * 43])
async def test_what_is_no_link_opens_nothing(runtime: Runtime, text: str) -> None:
    link = await first_operator.new_link(runtime)
    for wrong in (text, link[:-1] + ("x" if link[-1] != "x" else "y")):
        with pytest.raises(Unauthenticated):
            await follow(runtime, wrong)
    await follow(runtime, link)
