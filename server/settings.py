"""What an operator can set: by option, or as `COMP_POOL_*` in the environment."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Auth(StrEnum):
    """How the pool knows who asks: not at all, and everybody is its operator; or by their tokens."""

    OPEN = "open"
    TOKENS = "tokens"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def default_database() -> str:
    return str(user_data_path("comp-pool") / "pool")


class Settings(BaseSettings):
    """One frozen set of settings for a server and all its processes."""

    model_config = SettingsConfigDict(env_prefix="COMP_POOL_", frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=7070, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    database: str = Field(
        default_factory=default_database,
        description="A `mongodb://` URI, a directory for the embedded engine, or `memory`, which is gone at the end.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Server processes.")
    sandbox_workers: int = Field(default=2, ge=1, le=64, description="V8 processes of each server process.")
    scheduler: str = Field(default="random", description="Job scheduler of requests that name none.")
    public_url: str | None = Field(
        default=None, description="The pool's address as clients see it; if it is missing: taken from each request."
    )
    name: str = Field(default="comp-pool", description="What the pool calls itself.")
    auth: Auth | None = Field(
        default=None,
        description="`open`: everybody is the operator; `tokens`: submitting takes a token, reading and volunteering "
        "take none; if it is missing: `open` on a loopback address, else `tokens`.",
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

    @property
    def wants_tokens(self) -> bool:
        """Whether who asks is known by a token."""
        return (self.auth or (Auth.OPEN if is_loopback(self.host) else Auth.TOKENS)) is Auth.TOKENS


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
