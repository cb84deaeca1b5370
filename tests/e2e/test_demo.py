"""`comp-pool demo` as a process."""

import json
from pathlib import Path

from tests.processes import run


def test_it_ends_by_itself_with_every_result_right_and_the_cheat_outvoted(tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    ended = run("demo", "--json", "--record", str(picture))
    assert ended.returncode == 0, ended.stderr
    outcome = json.loads(ended.stdout)
    assert outcome["right"] is True
    assert {job["key"] for job in outcome["jobs"]} == {"string-hash", "monte-carlo-pi", "prime-factors"}
    for job in outcome["jobs"]:
        assert job["variables"] == job["decided"] == job["correct"] > 0
    flow = outcome["flow"]
    assert (flow["state"], flow["skipped"]) == ("COMPLETED", 1)
    assert flow["runs"] > flow["jobs"], "its while repeats"
    assert flow["result"] == flow["expected"]
    cheats = [each for each in outcome["volunteers"] if each["cheats"]]
    honest = [each for each in outcome["volunteers"] if not each["cheats"]]
    assert (len(cheats), len(honest)) == (1, 2)
    assert cheats[0]["verdicts"]["INVALID"] > 0
    assert not {"CANONICAL", "VALID"} & cheats[0]["verdicts"].keys()
    assert all("INVALID" not in each["verdicts"] for each in honest)
    assert abs(outcome["pi"] - 3.14159) < 0.005
    drawn = picture.read_text()
    assert drawn.startswith("<svg")
    assert "@font-face" not in drawn, "a picture loads nothing"


def test_without_a_terminal_it_is_readable_too() -> None:
    ended = run("demo")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert "starting the pool" in lines[0]
    assert any("computing: String hash " in line for line in lines)
    assert any("computing a flow" in line for line in lines)
    assert "\x1b" not in ended.stdout
    assert "cheated, and was outvoted" in ended.stdout
    assert "168 of 168 results are those that Python computes itself" in " ".join(lines)
