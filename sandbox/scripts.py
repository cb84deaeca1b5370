"""The JavaScript that runs around owners' code, here and, as it stands, in volunteers' browsers."""

from pathlib import Path

CALL = Path(__file__).with_name("call.js").read_text(encoding="utf-8")
"""Decides what a call of an owner's function gave."""
MATH_SCRIPTS = (
    "numbers",
    "tables",
    "exponentials",
    "logarithms",
    "reduction",
    "trigonometry",
    "arcs",
    "hyperbolic",
    "powers",
    "numerals",
    "operator",
    "rewriting",
    "compiling",
    "install",
)
"""The files of `math/`, in the order in which they run."""
MATH = "".join(
    Path(__file__).with_name("math").joinpath(f"{name}.js").read_text(encoding="utf-8") for name in MATH_SCRIPTS
)
"""Leaves `__math.install`, which makes Math return the same bits in all engines."""
PRELUDE = Path(__file__).with_name("prelude.js").read_text(encoding="utf-8")
"""Puts that in place, compiles an owner's function and has it called."""
SCRIPTS = {"call.js": CALL, "math.js": MATH, "prelude.js": PRELUDE}
"""All of them, in the order in which they run."""
