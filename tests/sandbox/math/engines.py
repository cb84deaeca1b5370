"""The portable functions of Math in V8, called with many arguments at once."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

from py_mini_racer import MiniRacer

from sandbox.scripts import MATH

_CALL = """((name, values, arity) => {
  const results = new Float64Array(values.length / arity);
  for (let at = 0; at < results.length; at++) {
    results[at] = Math[name](...values.subarray(at * arity, (at + 1) * arity));
  }
  return JSON.stringify(Array.from(new Uint32Array(results.buffer)));
})"""
_PARAMETERS = "((halves) => new Float64Array(new Uint32Array(halves).buffer))"


class PortableMath:
    """An engine whose Math is the portable one; `nativeToString` is what numbers had."""

    def __init__(self) -> None:
        self._racer = MiniRacer()
        self._racer.eval("globalThis.nativeToString = Number.prototype.toString")
        self._racer.eval(f"{MATH}; __math.install(Math); delete globalThis.__math;")

    def close(self) -> None:
        self._racer.close()

    def eval(self, script: str) -> object:
        """What a script returns, which has to be JSON text."""
        return json.loads(str(self._racer.eval(script)))

    def call(self, name: str, arguments: Sequence[tuple[float, ...]]) -> list[float]:
        """What a function returns for each of these lists of arguments, which are of one length."""
        values = [value for each in arguments for value in each]
        halves = json.dumps(struct.unpack(f"<{2 * len(values)}I", struct.pack(f"<{len(values)}d", *values)))
        results = self.eval(f"{_CALL}({json.dumps(name)}, {_PARAMETERS}({halves}), {len(arguments[0])})")
        assert isinstance(results, list)
        return list(struct.unpack(f"<{len(arguments)}d", struct.pack(f"<{len(results)}I", *results)))
