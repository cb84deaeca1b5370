"""What a client makes of an HTTP answer. The whole of it is held by `tests/pool_answers.json`, which volunteers run."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comp_pool import NotAPool, PoolClient, PoolError, PoolFailed, PoolRefused, PoolUnavailable
from comp_pool.answers import data_of

URL = "http://pool.example"
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "errors", "message", "extensions", "code"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(status=st.integers(100, 599), answer=JSON)
def test_whatever_answers_is_data_or_an_error_of_the_client(status: int, answer: Any) -> None:
    with suppress(PoolError):
        assert isinstance(data_of(httpx.Response(status, json=answer), url=URL), dict)


@given(status=st.integers(100, 599), content=st.binary(max_size=50))
def test_whatever_is_no_json_is_an_error_of_the_client(status: int, content: bytes) -> None:
    try:
        data_of(httpx.Response(status, content=b"\0" + content), url=URL)
    except PoolError:
        return
    pytest.fail("it was taken for data")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("INTERNAL", PoolFailed), ("UNAVAILABLE", PoolUnavailable), ("BAD_INPUT", PoolRefused), ("", PoolRefused)],
)
@pytest.mark.parametrize("status", [200, 400, 401, 422])
def test_an_error_with_a_code_means_the_same_in_every_status(status: int, code: str, kind: type[PoolError]) -> None:
    errors = [{"message": "no", "extensions": {"code": code}}]
    with pytest.raises(kind) as raised:
        data_of(httpx.Response(status, json={"errors": errors}), url=URL)
    assert type(raised.value) is kind


def test_a_date_to_come_back_at_counts_from_the_answers_own_clock() -> None:
    theirs = datetime(2000, 1, 1, tzinfo=UTC)
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=90), usegmt=True),
    }
    with pytest.raises(PoolUnavailable) as raised:
        data_of(httpx.Response(503, headers=headers), url=URL)
    assert raised.value.retry_after_s == 90


async def test_a_redirect_says_where_to() -> None:
    moved = httpx.MockTransport(lambda _: httpx.Response(301, headers={"location": "https://pool.example/graphql"}))
    async with PoolClient(URL, transport=moved) as client:
        with pytest.raises(NotAPool, match=r"points to https://pool\.example/graphql"):
            await client.call("{ pool { name } }")
