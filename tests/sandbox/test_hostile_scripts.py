"""Every script known to break a V8 sandbox: the server lives, the next owner is served, the owner is told."""

import asyncio
import json
import os
import sys
from typing import NamedTuple

import pytest

from sandbox import UNDEFINED, FailureKind, Function, Outcome, Returned, Sandbox, Threw
from tests.processes import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARAMETERS = ("variable", "result", "context")
"""For an innocent's call on a busy machine: its own 0.75 s, and the start of a fresh worker."""


class Trap(NamedTuple):
    """A body, the kinds of failure it may end as, and a part of what its owner is told."""

    body: str
    kinds: set[FailureKind]
    message: str = ""


TIMEOUT, MEMORY, ERROR, CRASH = (
    FailureKind.TIMEOUT,
    FailureKind.MEMORY,
    FailureKind.ERROR,
    FailureKind.CRASH,
)

FAILING = {
    "an endless loop": Trap("for (;;);", {TIMEOUT}, "it took longer than 500 ms"),
    "lastIndexOf of nearly equal strings": Trap(
        'return "a".repeat(1 << 20).lastIndexOf("a".repeat(1 << 19) + "b")', {TIMEOUT}, "500 ms"
    ),
    "indexOf over 2**53 holes": Trap("return [].indexOf.call({length: 2 ** 53 - 1}, 1)", {TIMEOUT}, "500 ms"),
    "sorting 2**32 - 1 holes": Trap("const a = []; a.length = 2 ** 32 - 1; return a.sort().length", {TIMEOUT, MEMORY}),
    "a regular expression that backtracks for ever": Trap(
        'return /^(a+)+$/.test("a".repeat(60) + "b")', {TIMEOUT}, "500 ms"
    ),
    "a microtask that begets itself, awaited": Trap(
        "return (async () => { for (;;) await null })()", {TIMEOUT}, "500 ms"
    ),
    "a heap bomb": Trap("const a = []; for (;;) a.push(new Array(1e5).fill(1.5))", {MEMORY}, "it took more"),
    "one huge array": Trap("return new Array(1e8).fill(1.5).length", {MEMORY, TIMEOUT, ERROR}),
    "a string that doubles": Trap("let s = 'ab'; for (;;) s += s", {ERROR}, "RangeError: Invalid string length"),
    # Which allocation fails first is chance: a buffer's, which throws, or one of V8's own, which ends the process.
    "an ArrayBuffer bomb": Trap(
        "const a = []; for (;;) a.push(new Uint8Array(1 << 26).fill(1))",
        {MEMORY, TIMEOUT, ERROR, FailureKind.CRASH},
    ),
    "one huge ArrayBuffer": Trap("return new ArrayBuffer(2 ** 33).byteLength", {ERROR}, "RangeError"),
    "WebAssembly": Trap("return new WebAssembly.Memory({initial: 1})", {ERROR}, "WebAssembly is not"),
    "SharedArrayBuffer": Trap("return new SharedArrayBuffer(8)", {ERROR}, "SharedArrayBuffer is not"),
    "Atomics": Trap("return Atomics.wait", {ERROR}, "Atomics is not"),
    "setTimeout": Trap("return setTimeout(() => 1, 1)", {ERROR}, "TypeError: setTimeout is not a function"),
    "a result with a throwing getter": Trap(
        'return {get a() { throw new Error("mine") }}', {FailureKind.NOT_JSON}, "Error: mine"
    ),
    "a result with an endless getter": Trap("return {get a() { for (;;); }}", {TIMEOUT}),
    "a result with a throwing toJSON": Trap('return {toJSON() { throw "mine" }}', {FailureKind.NOT_JSON}, "mine"),
    "a proxy that traps everything": Trap(
        'return new Proxy({}, new Proxy({}, {get() { throw new Error("trapped") }}))', {ERROR}, "trapped"
    ),
    "a revoked proxy": Trap(
        "const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy", {ERROR}, "has been revoked"
    ),
    "a false promise": Trap(
        "return Object.create(Promise.prototype)", {ERROR}, "Method Promise.prototype.then called on incompatible"
    ),
    "a promise of a species that throws": Trap(
        'const p = Promise.resolve(1); p.constructor = {get [Symbol.species]() { throw "mine" }}; return p',
        {ERROR},
        "mine",
    ),
    "a promise that never settles": Trap(
        "return new Promise(() => {})", {FailureKind.PENDING}, "the promise never settled"
    ),
    "a promise that is rejected": Trap("return Promise.reject(new Error('no'))", {ERROR}, "Error: no"),
    "a huge result": Trap("return 'x'.repeat(2 << 20)", {FailureKind.TOO_LARGE}, "longer than 1048576 bytes"),
    "a result that is huge in UTF-8": Trap(
        "return '€'.repeat(1 << 19)", {FailureKind.TOO_LARGE}, "longer than 1048576 bytes"
    ),
    "a deeply nested result": Trap(
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a", {FailureKind.TOO_LARGE}, "deeper than"
    ),
    "a huge error message": Trap("throw new Error('x'.repeat(1e7))", {ERROR}, "Error: xxx"),
    "an error whose toString throws": Trap(
        "throw {toString() { throw 1 }, get message() { throw 2 }}", {ERROR}, "an error that cannot be shown"
    ),
    "an error whose message never comes": Trap("throw {get message() { for (;;); }}", {TIMEOUT}),
    "an error with a lone surrogate": Trap(r"throw new Error('a\ud800b')", {ERROR}, "Error: a\ufffdb"),
    "a thrown undefined": Trap("throw undefined", {ERROR}, "threw undefined"),
    "a thrown null": Trap("throw null", {ERROR}, "threw null"),
    "a thrown empty text": Trap("throw ''", {ERROR}, "Error: (no message)"),
    "a promise rejected with an empty text": Trap("return Promise.reject('')", {ERROR}, "Error: (no message)"),
    "a thrown error without a message": Trap("throw new TypeError()", {ERROR}, "TypeError: (no message)"),
    "a thrown object with an empty message": Trap("throw {message: ''}", {ERROR}, "Error: (no message)"),
    "a thrown object whose toString is empty": Trap("throw {toJSON() {}, toString: () => ''}", {ERROR}, "(no message)"),
    "a thrown symbol": Trap("throw Symbol('s')", {ERROR}, "Symbol(s)"),
    "a thrown object": Trap("throw {code: 5}", {ERROR}, '{"code":5}'),
    "a recursion without end": Trap(
        "return (function f() { return f() })()", {ERROR}, "Maximum call stack size exceeded"
    ),
    "a patched JSON.stringify and toJSON": Trap(
        "JSON.stringify = () => 'forged'; Object.prototype.toJSON = () => { throw 'mine' }; return {}",
        {FailureKind.NOT_JSON},
        "mine",
    ),
    "nothing": Trap("return undefined", {FailureKind.UNDEFINED}, "returned undefined"),
    "a function as a result": Trap("const f = () => 1; return f", {FailureKind.NOT_JSON}, "answer: function"),
    "a symbol as a result": Trap("return Symbol('x')", {FailureKind.NOT_JSON}, "answer: symbol"),
    "a BigInt": Trap("return 1n", {FailureKind.NOT_JSON}, "answer: BigInt"),
    "a cycle beside a BigInt": Trap(
        "const a = [1n]; a.push(a, a); return a", {FailureKind.NOT_JSON}, "answer[0]: BigInt"
    ),
    "a cycle of many ways": Trap(
        "const a = []; for (let i = 0; i < 50; i++) a.push(a); return a", {FailureKind.NOT_JSON}, "circular structure"
    ),
    "a text that is no JSON": Trap("return JSON.rawJSON('1e')", {ERROR}, "JSON.rawJSON is not a function"),
    "a cycle": Trap("const a = {}; a.a = a; return a", {FailureKind.NOT_JSON}, "circular structure"),
    "a wasteful parse": Trap("return Function('('.repeat(1e6))", {ERROR, TIMEOUT, MEMORY, CRASH}),
    "code that does not parse": Trap("retrun 1", {FailureKind.SYNTAX}, "SyntaxError: Unexpected number"),
    "a body that closes itself": Trap("}); (function () {", {FailureKind.SYNTAX}, "SyntaxError"),
}

HARMLESS = {
    "a microtask without end left behind": (
        "Promise.resolve().then(function f() { Promise.resolve().then(f) }); return true",
        "true",
    ),
    "a microtask that V8 cannot stop left behind": (
        "Promise.resolve().then(() => [].indexOf.call({length: 2 ** 53 - 1}, 1)); return true",
        "true",
    ),
    "a patched Promise.prototype.then": (
        "Promise.prototype.then = () => { throw 'mine' }; return Promise.resolve({a: 1})",
        '{"a":1}',
    ),
    "a patched Promise": ("globalThis.Promise = 1; return (async () => 7)()", "7"),
    "patched arrays": (
        "Array.prototype[Symbol.iterator] = null; Array.prototype.toJSON = () => 'x'; "
        "Object.defineProperty(Object.prototype, '0', {set() { throw 'mine' }}); return 1",
        "1",
    ),
    "patched functions": (
        "Function.prototype.call = Function.prototype.apply = null; "
        "Object.defineProperty(Function.prototype, 'then', {get() { throw 1 }}); return 2",
        "2",
    ),
    "patched strings": ("String.prototype.slice = () => { throw 1 }; String = null; return 'ok'", '"ok"'),
    "constructor.constructor reaches only this world": (
        "return [typeof this.constructor.constructor('return this')().process, "
        "typeof (() => {}).constructor('return typeof require')(), typeof Deno]",
        '["undefined","string","undefined"]',
    ),
    "the sandbox's own commands are of no use": (
        "try { __sandbox.call = 1; delete globalThis.__sandbox } catch {} return Object.isFrozen(__sandbox)",
        "true",
    ),
    "a lone surrogate": (
        r"return {'k\udc00': 'a\ud800b', c: '\\ud800', d: '😀'}",
        '{"k\ufffd":"a\ufffdb","c":"\\\\ud800","d":"😀"}',
    ),
    "a proxy": ("return new Proxy({a: 1}, {})", '{"a":1}'),
    "minus zero": ("return [-0]", "[0]"),
    "a thenable": ("return {then: (resolve) => resolve(3)}", "3"),
    "undefined members": ("return {a: undefined, b: 1}", '{"b":1}'),
    "an own __proto__": ('return JSON.parse(\'{"__proto__": {"a": 1}}\')', '{"__proto__":{"a":1}}'),
    "a promise that resolves": ("return Promise.resolve(3).then((x) => x + 1)", "4"),
    "an async validator that says no": ("return (async () => false)()", "false"),
    "a thenable is just an object": ("return {then: 1, a: 2}", '{"then":1,"a":2}'),
    "forged replies": (
        "Object.prototype.toJSON = function () { return 'returned\\n{}' }; return {}",
        '"returned\\n{}"',
    ),
    "101 levels": ("let a = []; for (let i = 1; i < 101; i++) a = [a]; return a", "[" * 101 + "]" * 101),
}


async def run(sandbox: Sandbox, body: str, owner: str) -> Outcome:
    [outcome] = await sandbox.run(Function(body, PARAMETERS), [["1", UNDEFINED, "{}"]], owner=owner)
    return outcome


async def assert_next_owner_is_served(sandbox: Sandbox) -> None:
    async with asyncio.timeout(PATIENCE_S):
        outcome = await run(sandbox, "return [variable, typeof result, typeof {}.polluted]", owner="the next")
    assert outcome == Returned('[1,"undefined","undefined"]')
    assert os.getpid() not in sandbox.worker_pids


@pytest.mark.parametrize("name", FAILING)
async def test_a_failing_script_is_told_why_and_harms_nobody_else(sandbox: Sandbox, name: str) -> None:
    trap = FAILING[name]
    outcome = await run(sandbox, trap.body, owner=name)
    assert isinstance(outcome, Threw), outcome
    assert outcome.kind in trap.kinds, outcome
    assert trap.message in outcome.message
    assert 0 < len(outcome.message) <= 500
    outcome.message.encode()  # no lone surrogate is left
    await assert_next_owner_is_served(sandbox)


@pytest.mark.parametrize("name", HARMLESS)
async def test_a_devious_script_gets_its_answer_and_harms_nobody_else(sandbox: Sandbox, name: str) -> None:
    body, expected = HARMLESS[name]
    outcome = await run(sandbox, "Object.prototype.polluted = 1;" + body if "{" not in expected else body, owner=name)
    assert outcome == Returned(expected)
    json.loads(expected)
    await assert_next_owner_is_served(sandbox)


async def test_what_a_script_leaves_in_its_world_is_gone_in_the_same_owners_next_run(sandbox: Sandbox) -> None:
    await run(sandbox, "Object.prototype.seen = globalThis.seen = 1; return 1", owner="one")
    assert await run(sandbox, "return [typeof seen, typeof {}.seen]", owner="one") == Returned(
        '["undefined","undefined"]'
    )


@pytest.mark.parametrize("value", ['{"__proto__":{"a":1}}', '{"constructor":1}', '"\\u2028</script>"', "-1.5e-7"])
async def test_an_argument_arrives_as_the_data_it_is(sandbox: Sandbox, value: str) -> None:
    [outcome] = await sandbox.run(Function("return variable", PARAMETERS), [[value]], owner="data")
    assert isinstance(outcome, Returned)
    assert json.loads(outcome.json) == json.loads(value)


async def test_the_server_process_never_loads_v8() -> None:
    look = "import sys, server.serving; sys.exit('sandbox.pool' not in sys.modules or 'py_mini_racer' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", look)
    assert await process.wait() == 0
