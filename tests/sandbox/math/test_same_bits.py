"""The portable functions of Math return the same bits in every engine, where the engines' own do not."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from py_mini_racer import MiniRacer

from sandbox.scripts import MATH
from tests import npm
from tests.browsers import firefox, webkit
from tests.chromium import launch
from tests.conftest import lacking

CLIENT = Path(__file__).parents[3] / "client"
DIGESTS = Path(__file__).with_name("digests.js").read_text(encoding="utf-8").strip().removesuffix(";")


def _portable() -> str:
    parser = npm.node_modules(CLIENT) / "acorn" / "dist" / "acorn.js"
    text = json.dumps(parser.read_text(encoding="utf-8"))
    install = f"__math.install(Math); __math.compileWith({text}); delete globalThis.__math;"
    return f"(() => {{ {MATH}; {install} return ({DIGESTS}); }})()"


def _in_v8(expression: str, _: Path) -> str:
    racer = MiniRacer()
    try:
        return str(racer.eval(expression))
    finally:
        racer.close()


def _in_node(expression: str, _: Path) -> str:
    program = shutil.which("node") or lacking("Node.js")
    script = f"console.log({expression})"
    return subprocess.run([program], input=script, capture_output=True, text=True, check=True).stdout


def _in_chromium(expression: str, _: Path) -> str:
    async def evaluated() -> str:
        async with async_playwright() as running:
            browser = await launch(running)
            try:
                return str(await (await browser.new_page()).evaluate(expression))
            finally:
                await browser.close()

    return asyncio.run(evaluated())


def _in_firefox(expression: str, home: Path) -> str:
    with firefox(home) as evaluate:
        return str(evaluate(expression))


def _in_webkit(expression: str, home: Path) -> str:
    with webkit(home) as evaluate:
        return str(evaluate(expression))


@pytest.mark.parametrize(
    "engine",
    [_in_node, _in_chromium, *(pytest.param(engine, marks=pytest.mark.soak) for engine in (_in_firefox, _in_webkit))],
)
def test_an_engine_has_the_same_bits_as_the_native_volunteer(
    engine: Callable[[str, Path], str], tmp_path: Path
) -> None:
    portable = _portable()
    native = json.loads(_in_v8(portable, tmp_path))
    assert json.loads(engine(portable, tmp_path)) == native
    assert len(native) == 38


def test_the_digests_tell_engines_apart(tmp_path: Path) -> None:
    assert json.loads(_in_v8(DIGESTS, tmp_path)) != json.loads(_in_node(DIGESTS, tmp_path))
