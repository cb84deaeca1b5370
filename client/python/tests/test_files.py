"""What stands in a file means the same to this client and to a pool."""

import pytest

from comp_pool.files import parse


@pytest.mark.parametrize(
    ("file", "text", "value"),
    [
        ("a.json", r'["\ud83d", "\ud83d\ude00", "\\ud83d"]', ["\ufffd", "\U0001f600", "\\ud83d"]),
        ("a.json", r'{"\uDE00": {"x": ["a\ud800b"]}}', {"\ufffd": {"x": ["a\ufffdb"]}}),
        ("a.yaml", 'value: "\\ud83d"', {"value": "\ufffd"}),
    ],
)
def test_a_lone_surrogate_is_the_replacement_character(file: str, text: str, value: object) -> None:
    assert parse(file, text) == value


def test_minus_zero_is_negative() -> None:
    assert [str(each) for each in parse("a.json", "[-0, 0, -0.0, -7]")] == ["-0.0", "0", "-0.0", "-7"]
