"""Tokens: what they cost, how soon the end of one is seen, and what is kept of them."""

import pytest

from resolvers.access import accounts, tokens
from resolvers.access.principals import ANONYMOUS, EVERYBODY, Scope, authenticated
from resolvers.access.tokens import NewToken
from resolvers.errors import AlreadyExists, BadInput, Conflict, NotFound, Unauthenticated
from resolvers.runtime import Runtime
from sandbox import Sandbox
from storage import Store
from storage.recent_reads import STALE_AFTER_S
from tests.resolvers.playing import Clock, process

SUBMIT = NewToken("test", (Scope.SUBMIT,))


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    runtime.wants_tokens = True
    return runtime


async def _ada(runtime: Runtime) -> str:
    """A token of a new account, and all that its first use brings about done."""
    await accounts.create(runtime, "Ada")
    _, text = await tokens.issue(runtime, "ada", SUBMIT)
    await authenticated(runtime, text)
    await runtime.settled()
    return text


async def test_who_shows_no_token_costs_no_operation(runtime: Runtime, store: Store) -> None:
    with store.database.count() as cost:
        assert await authenticated(runtime, "") == ANONYMOUS
    assert cost.total() == 0


async def test_an_open_pool_looks_at_no_token(runtime: Runtime, store: Store) -> None:
    runtime.wants_tokens = False
    with store.database.count() as cost:
        assert await authenticated(runtime, "cp_of_another_pool") == EVERYBODY
    assert cost.total() == 0


async def test_a_token_and_its_account_cost_one_read_a_second_and_one_write_a_minute(
    runtime: Runtime, store: Store, clock: Clock
) -> None:
    text = await _ada(runtime)
    with store.database.count() as cached:
        for _ in range(100):
            assert (await authenticated(runtime, text)).account == "ada"
    assert cached.total() == 0
    with store.database.count() as minute:
        for _ in range(59):
            clock.advance(1)
            await authenticated(runtime, text)
            await authenticated(runtime, text)
            await runtime.settled()
    assert minute == {"find_one": 2 * 59}
    with store.database.count() as later:
        clock.advance(1)
        await authenticated(runtime, text)
        await runtime.settled()
    assert later == {"find_one": 2, "update_one": 1}


async def test_a_wrong_token_costs_one_read_a_second_and_a_malformed_one_none(runtime: Runtime, store: Store) -> None:
    with store.database.count() as cost:
        for text in 10 * (f"cp_{'a' * 16}{'b' * 43}", f"cp_{'a' * 16}{'c' * 43}", "cp_", "secret", "cp_{'$gt': ''}"):
            with pytest.raises(Unauthenticated):
                await authenticated(runtime, text)
    assert cost == {"find_one": 1}


async def test_the_key_of_a_token_without_its_secret_is_no_token(runtime: Runtime) -> None:
    text = await _ada(runtime)
    with pytest.raises(Unauthenticated):
        await authenticated(runtime, text[:-1] + ("A" if text[-1] != "A" else "B"))


async def test_a_revoked_token_is_refused_here_at_once_and_elsewhere_within_a_second(
    runtime: Runtime, sandbox: Sandbox, clock: Clock
) -> None:
    text = await _ada(runtime)
    other = await process(runtime.store.database, sandbox, clock)
    other.wants_tokens = True
    assert (await authenticated(other, text)).account == "ada"
    await tokens.revoke(runtime, EVERYBODY, text)
    with pytest.raises(Unauthenticated, match="was revoked"):
        await authenticated(runtime, text)
    clock.advance(STALE_AFTER_S)
    with pytest.raises(Unauthenticated, match="was revoked"):
        await authenticated(other, text)
    await other.close()


async def test_a_token_ends_at_its_expiry_also_while_it_is_cached(runtime: Runtime, clock: Clock) -> None:
    await accounts.create(runtime, "Ada")
    soon = NewToken("soon", (Scope.SUBMIT,), expires_at=clock() + 500)
    _, text = await tokens.issue(runtime, "ada", soon)
    assert (await authenticated(runtime, text)).account == "ada"
    clock.advance(0.5)
    with pytest.raises(Unauthenticated, match="has expired"):
        await authenticated(runtime, text)
    with pytest.raises(BadInput, match="in the future"):
        await tokens.issue(runtime, "ada", soon)


async def test_nothing_that_is_stored_is_a_token(runtime: Runtime, store: Store) -> None:
    text = await _ada(runtime)
    [stored] = await store.database.collection("tokens").find({}, limit=2)
    secret = text[len("cp_") + 16 :]
    assert secret
    assert secret not in str(stored)


async def test_an_open_pool_makes_no_tokens_for_whoever_asks(runtime: Runtime) -> None:
    await accounts.create(runtime, "Ada")
    runtime.wants_tokens = False
    with pytest.raises(Conflict, match="comp-pool token create"):
        await tokens.create(runtime, EVERYBODY, "ada", SUBMIT)


@pytest.mark.parametrize("name", ["", "...", "x" * 101, "a\x00b"])
async def test_an_account_needs_a_name(runtime: Runtime, name: str) -> None:
    with pytest.raises(BadInput):
        await accounts.create(runtime, name)


async def test_an_account_is_made_once(runtime: Runtime) -> None:
    assert (await accounts.create(runtime, "Ada Lovelace")).key == "ada-lovelace"
    with pytest.raises(AlreadyExists):
        await accounts.create(runtime, "ada lovelace")
    with pytest.raises(NotFound):
        await tokens.issue(runtime, "ada", SUBMIT)
