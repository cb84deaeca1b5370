"""An OpenID Connect provider (https://pypi.org/project/oidc-provider-mock/) beside a pool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.processes import HTTP, until
from tests.proxies import free_port

ADA = {"sub": "a1", "preferred_username": "Ada", "email": "ada@example.org", "email_verified": True}
BOSS = {"sub": "b1", "name": "The Boss", "email": "Boss@example.org", "email_verified": True}
LIAR = {"sub": "l1", "name": "Liar", "email": "boss@example.org", "email_verified": False}
NAMELESS = {"sub": "n1"}
ALL = (ADA, BOSS, LIAR, NAMELESS)


@contextmanager
def running_provider() -> Iterator[str]:
    """The issuer of a provider that lets whoever asks be whom they say they are."""
    port = free_port()
    users = [argument for each in ALL for argument in ("--user-claims", json.dumps(each))]
    # Its own process: what it imports warns of what it is made of.
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *users],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    issuer = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(issuer), "the provider answers")
        yield issuer
    finally:
        process.kill()
        process.wait()


def _answers(issuer: str) -> bool:
    with suppress(httpx.TransportError):
        return HTTP.get(f"{issuer}/.well-known/openid-configuration").is_success
    return False


def claims_of(subject: str) -> dict[str, Any]:
    return next(each for each in ALL if each["sub"] == subject)
