"""What a call of the portable Math costs, beside the engine's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from py_mini_racer import MiniRacer

from bench.figures import Figure
from sandbox.scripts import MATH

SPEED = Path(__file__).with_name("math_speed.js").read_text(encoding="utf-8")
OWN = "globalThis.own = Object.fromEntries(Object.getOwnPropertyNames(Math).map((name) => [name, Math[name]]));"
MOST_USED = ("exp", "log", "sin", "cos", "pow")
MOST_USED_TARGET = 2.0
TARGET = 3.0
PER_CALL = "ns a call"


def portable_math(milliseconds: int) -> Iterator[Figure]:
    """Figures of each function, in the native volunteer's V8 and in Node.js's.

    Args:
        milliseconds: how long one of five measurements of a function takes at least.
    """
    script = f"{OWN} globalThis.milliseconds = {milliseconds}; {MATH}; __math.install(Math);"
    engines: dict[str, Callable[[str], str]] = {"native": _in_v8, "Node.js": _in_node}
    for engine, run in engines.items():
        for name, (own, portable) in json.loads(run(script)).items():
            target = MOST_USED_TARGET if name in MOST_USED else TARGET
            yield Figure(f"Math.{name} of {engine}, the engine's own", own, PER_CALL)
            yield Figure(f"Math.{name} of {engine}, portable", portable, PER_CALL, portable / own, target)


def _in_v8(script: str) -> str:
    racer = MiniRacer()
    try:
        racer.eval(script)
        return str(racer.eval(SPEED))
    finally:
        racer.close()


def _in_node(script: str) -> str:
    text = f"{script}\nconsole.log(\n{SPEED.strip().removesuffix(';')}\n)"
    return subprocess.run(["node"], input=text, capture_output=True, text=True, check=True).stdout
