"""What a volunteer's operator sees, by where the output goes."""

import io
import json

import pytest
from rich.console import Console

from cli.volunteer_display import display
from volunteer import Claimed, Computed, Event, Judged, Standing, Tally, Waiting, Warned

EVENTS: list[Event] = [
    Waiting("NO_OPEN_WORK", 1.5),
    Claimed(2),
    Computed("work", 12),
    Computed("work", 8, "TypeError: no"),
    Judged("work", "CANONICAL"),
    Judged("work", "INVALID", "it failed"),
    Standing("abc", 7, 1, 1),
    Warned("look here"),
]


def shown(console: Console, *, as_json: bool = False) -> None:
    with display(console, Tally(), as_json=as_json) as tell:
        for event in EVENTS:
            tell(event)


def test_programs_get_each_event_as_a_line_of_json_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Console(file=io.StringIO()), as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [
        *("waiting", "claimed", "computed", "computed", "judged", "judged", "standing", "warned", "summary")
    ]
    assert lines[2] == {"event": "computed", "job": "work", "elapsed_ms": 12, "error": None}
    summary = lines[-1]
    assert (summary["claimed"], summary["computed"], summary["failed"]) == (2, 2, 1)
    assert summary["verdicts"] == {"CANONICAL": 1, "INVALID": 1}


def test_a_log_gets_plain_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Console(file=io.StringIO()))
    said = capsys.readouterr()
    assert said.err == "Warning: look here\n"
    assert said.out.splitlines()[0] == "waiting: there is no work"
    assert said.out.splitlines()[-1].startswith("done: 2 results")
    assert "7 valid and 1 invalid" in said.out
    assert "\x1b" not in said.out


def test_a_terminal_gets_one_live_line_and_what_remains_of_it() -> None:
    terminal = io.StringIO()
    shown(Console(file=terminal, force_terminal=True, width=120))
    assert "look here" in terminal.getvalue()
    assert "done" in terminal.getvalue().splitlines()[-1]
    assert "2 results" in terminal.getvalue().splitlines()[-1]
