"""Numbers written with a radix have V8's digits, and large integers all of theirs."""

from tests.sandbox.math.engines import PortableMath

NUMBERS = """Array.from({ length: 7000 }, (_, at) => {
  const size = 2 ** ((at * 7919) % 1100 - 1050);
  return (at % 2 ? -1 : 1) * (1 + ((at * 48271) % 65537) / 65537) * size;
})"""
REFUSED = """[1, 37, NaN, Infinity, -2].map((radix) => {
  try { return (0.5).toString(radix) } catch (error) { return error.name }
})"""


def test_fractions_have_the_digits_of_v8(portable: PortableMath) -> None:
    different = f"""{NUMBERS}.filter((number, at) => {{
      const radix = 2 + at % 35;
      return Math.abs(number) < 2 ** 53 && number.toString(radix) !== nativeToString.call(number, radix);
    }})"""
    assert portable.eval(f"JSON.stringify({different})") == []


def test_large_integers_have_all_digits(portable: PortableMath) -> None:
    texts = portable.eval("JSON.stringify([2 ** 60 + 256, -(3 ** 50)].map((number) => number.toString(3)))")
    assert isinstance(texts, list)
    assert [int(text, 3) for text in texts] == [2**60 + 256, int(-(3.0**50))]


def test_what_no_radix_is_needed_for_stays(portable: PortableMath) -> None:
    decimal = "(0.1).toString(), (1e21).toString(10), (0.5).toString('2')"
    script = f"[(255).toString(16), {decimal}, (NaN).toString(2), (-0).toString(3)]"
    assert portable.eval(f"JSON.stringify({script})") == ["ff", "0.1", "1e+21", "0.1", "NaN", "0"]
    assert portable.eval(f"JSON.stringify({REFUSED})") == ["RangeError"] * 5
