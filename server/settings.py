"""What an operator can set: by option, or as `COMP_POOL_*` in the environment."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic.fields import FieldInfo
from strawberry.http.websocket_origin import normalize_allowed_origins, normalize_origin

from server.limits import LimitSettings
from server.signing_in.settings import SigningInSettings

ANY = "*"
WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~%/-]*)?")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Auth(StrEnum):
    """How the pool knows who asks: not at all, and everybody is its operator; or by their tokens."""

    OPEN = "open"
    TOKENS = "tokens"


class Visibility(StrEnum):
    """Who may read what belongs to a job or a flow."""

    PUBLIC = "public"
    PRIVATE = "private"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def default_database() -> str:
    return str(user_data_path("comp-pool") / "pool")


class Settings(SigningInSettings, LimitSettings):
    """One frozen set of settings for a server and all its processes."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=7070, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    database: str = Field(
        default_factory=default_database,
        description="A `mongodb://` URI, a directory for the embedded engine, or `memory`, which is gone at the end.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Server processes.")
    sandbox_workers: int = Field(default=2, ge=1, le=64, description="V8 processes of each server process.")
    request_sandbox_seconds: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="Processor time that the owners' functions called for one request may use together.",
    )
    scheduler: str = Field(default="random", description="Job scheduler of requests that name none.")
    public_url: str | None = Field(
        default=None,
        description="The pool's address as clients see it, with its path if it has one; if it is missing: taken from "
        "each request.",
    )
    allowed_hosts: str = Field(
        default="",
        description="More names that the pool answers to, separated by commas; `*`: all. On loopback it answers to "
        "its addresses and the host of `--public-url`; elsewhere to every name until this is set.",
    )
    allowed_origins: str = Field(
        default="",
        description="Origins whose pages may change something in the pool, besides its own, separated by commas: "
        "`https://app.example`; `*`: all. What the original's clients send is taken from all.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses and networks of proxies whose `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix`, or "
        "instead of these `Forwarded`, are believed, separated by commas; `*`: all.",
    )
    max_header_bytes: int = Field(
        default=32_768, ge=1_024, le=1_048_576, description="Most bytes of a request's line and headers."
    )
    header_seconds: float = Field(
        default=15.0, gt=0, le=3600, description="How long the line and the headers of a request may take."
    )
    body_seconds: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="How long the body of a request is waited for; each 4,096 bytes that come give back a second of "
        "that, so that a body may take any time at that rate, and stand still for so long.",
    )
    write_seconds: float = Field(
        default=30.0, gt=0, le=3600, description="When a client that does not read its answer is disconnected."
    )
    name: str = Field(default="comp-pool", description="What the pool calls itself.")
    auth: Auth | None = Field(
        default=None,
        description="`open`: everybody is the operator; `tokens`: submitting takes a token, reading and volunteering "
        "take none; if it is missing: `open` on a loopback address without a proxy and a provider to sign in "
        "with, else `tokens`.",
    )
    visibility: Visibility | None = Field(
        default=None,
        description="Of jobs and flows whose owners do not say: `public`, or `private`, to be read by the owner and "
        "operators; if it is missing: `private` where the pool wants tokens, else `public`.",
    )
    review: bool = Field(
        default=False,
        description="Hold the jobs of accounts that no operator has approved until they are; where the pool wants "
        "tokens.",
    )
    sweep_seconds: float = Field(default=2.0, gt=0, le=3600, description="How often lost work is looked for.")
    takeover_seconds: float = Field(
        default=30.0,
        ge=0.1,
        le=3600,
        description="When work that a process left half-way is carried on by another one.",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        le=600,
        description="How long a stopping server still answers, with no new tasks and `/readyz` 503, before it closes.",
    )
    log_level: LogLevel = Field(default=LogLevel.WARNING, description="How much is said on standard error.")

    @classmethod
    def listed(cls) -> dict[str, FieldInfo]:
        """All settings by name, those of signing in and the limits last."""
        others = SigningInSettings.model_fields | LimitSettings.model_fields
        return {name: field for name, field in cls.model_fields.items() if name not in others} | others

    @property
    def wants_tokens(self) -> bool:
        """Whether who asks is known by a token."""
        default = Auth.TOKENS if self.is_reached_by_others or self.oidc_issuer else Auth.OPEN
        return (self.auth or default) is Auth.TOKENS

    @property
    def keeps_private(self) -> bool:
        """Whether jobs and flows are private whose owners do not say."""
        return self.wants_tokens if self.visibility is None else self.visibility is Visibility.PRIVATE

    @property
    def reviews(self) -> bool:
        """Whether jobs wait for approval: without tokens nobody could give it who could not submit a job."""
        return self.review and self.wants_tokens

    @property
    def is_reached_by_others(self) -> bool:
        """Whether requests come from other machines, directly or through a proxy on this one."""
        public = urlsplit(self.public_url).hostname or "" if self.public_url else "localhost"
        return bool(self.proxies) or not (is_loopback(self.host) and is_loopback(public))

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not is_web_address(value):
            raise ValueError("must be an address such as https://pool.example or https://example.org/pool")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        try:
            normalize_allowed_origins(members(value))
        except ValueError:
            raise ValueError("must be origins such as https://app.example, without paths, or *") from None
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for each in members(value):
            try:
                each == ANY or ip_network(each, strict=False)
            except ValueError:
                raise ValueError("must be addresses or networks such as 127.0.0.1, 10.0.0.0/8, or *") from None
        return value

    @property
    def own_hosts(self) -> frozenset[str]:
        """The names and addresses that the pool answers to; empty: all."""
        named = {each.lower() for each in members(self.allowed_hosts)}
        if ANY in named or not (named or is_loopback(self.host)):
            return frozenset()
        own = {f"[{self.host}]" if ":" in self.host else self.host.lower(), *LOOPBACK_NAMES}
        if self.public_url:
            host = urlsplit(self.public_url).hostname or ""
            own.add(f"[{host}]" if ":" in host else host)
        return frozenset(own | named)

    @property
    def own_origins(self) -> frozenset[str]:
        """The origins of the pages that may write, in addition to that of the address that is asked."""
        public = [origin for url in (self.public_url,) if url and (origin := normalize_origin(url))]
        return normalize_allowed_origins([*public, *members(self.allowed_origins)])

    @property
    def proxies(self) -> list[str]:
        return members(self.trusted_proxies)

    @property
    def public_path(self) -> str:
        """The path that the pool is at, without a slash at its end."""
        return unquote(urlsplit(self.public_url).path.rstrip("/")) if self.public_url else ""


def members(text: str) -> list[str]:
    """What a setting lists, separated by commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # Raises ValueError for what is none.
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(WEB_ADDRESS.fullmatch(text))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
