from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import BadInput, LeaseLost
from resolvers.identifiers import check_lease, checked_cursor, checked_text, job_key, variable_key

HERE = ["pool.example", "127.0.0.1:7070", "[::1]:7070/api"]


@pytest.mark.parametrize(
    "reference",
    [
        "pi",
        "/jobs/pi",
        "/jobs/pi/",
        "http://pool.example/jobs/pi",
        "https://POOL.example:443/jobs/pi?x=1",
        "http://127.0.0.1:7070/jobs/pi",
        "http://[::1]:7070/api/jobs/pi",
    ],
)
def test_a_job_is_named_by_its_key_or_its_url(reference: str) -> None:
    assert job_key(reference, HERE, field="job") == "pi"


@pytest.mark.parametrize(
    "reference",
    [
        "http://other.example/jobs/pi",
        "//other.example/jobs/pi",
        "http://pool.example.other.example/jobs/pi",
        "http://pool.example:8080/jobs/pi",
        "http://127.0.0.1/jobs/pi",
        "http://pool.example@other.example/jobs/pi",
        "http://[::1]:7070/apis/jobs/pi",
        "ftp://pool.example/jobs/pi",
        "urn:jobs:pi",
    ],
)
def test_a_url_of_another_host_is_refused(reference: str) -> None:
    with pytest.raises(BadInput, match=r"is not at this pool, which is at pool\.example or 127"):
        job_key(reference, HERE, field="job")
    with pytest.raises(BadInput, match="takes this pool's own jobs and variables"):
        variable_key(f"{reference}/variables/1", "pi", HERE, field="variable")


@pytest.mark.parametrize("reference", ["", "Pi", "/jobs", "/jobs/pi/x", "http://pool.example/pi", "http://[/jobs/pi"])
def test_what_names_no_job_is_refused(reference: str) -> None:
    with pytest.raises(BadInput, match="is neither a job's key nor its URL"):
        job_key(reference, HERE, field="job")


@pytest.mark.parametrize(
    "reference", ["pi", "jobs/pi", "/jobs/pi", "//pool.example/jobs/pi", "http://pool.example/jobs/pi"]
)
def test_a_job_is_named_by_its_key_or_any_reference_to_its_url(reference: str) -> None:
    assert job_key(reference, HERE, field="job") == "pi"


@pytest.mark.parametrize(
    "reference",
    [
        "v.1",
        "jobs/pi/variables/v.1",
        "//pool.example/jobs/pi/variables/v.1",
        "/jobs/pi/variables/v.1",
        "http://pool.example/jobs/pi/variables/v.1",
    ],
)
def test_a_variable_is_named_by_its_id_or_its_url(reference: str) -> None:
    assert variable_key(reference, "pi", HERE, field="variable") == "v.1"


def test_a_variable_of_another_job_is_refused() -> None:
    with pytest.raises(BadInput, match="is not a variable of the job 'pi'"):
        variable_key("/jobs/tau/variables/1", "pi", field="variable")


@given(st.text(max_size=40))
def test_any_text_names_something_of_the_right_shape_or_is_bad_input(text: str) -> None:
    with suppress(BadInput):
        assert set(job_key(text, field="job")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.text(max_size=40))
def test_a_cursor_is_one_of_the_pools_own_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        assert checked_cursor(text) == text
        assert len(text) in (0, 32)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_lease_of_another_shape_is_lost(task: str, token: str) -> None:
    with pytest.raises(LeaseLost):
        check_lease(task, token, field="tasks[0]")
    check_lease("var:job:variable:0", "token_-1", field="tasks[0]")


@pytest.mark.parametrize("text", ["a\0b", "\x1b[31m", "\x01"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="name takes text without control characters"):
        checked_text(text, field="name", most=100)


def test_line_breaks_are_text() -> None:
    assert checked_text("a\n\tb", field="name", most=4) == "a\n\tb"
