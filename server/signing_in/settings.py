"""What an operator can set of how one signs in on the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_serializer, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HOUR_MS = 3_600_000


class UnreadableSecret(Exception):
    """The file that holds the secret for the OpenID Connect provider can't be read."""


class SigningInSettings(BaseSettings):
    """The sessions, and the OpenID Connect provider."""

    model_config = SettingsConfigDict(env_prefix="COMP_POOL_", frozen=True, extra="forbid")

    session_hours: int = Field(
        default=12, ge=1, le=8760, description="After how many hours one has to sign in on the dashboard again."
    )
    oidc_issuer: str = Field(
        default="",
        description="An OpenID Connect provider's issuer, such as `https://accounts.example`, through which one signs "
        "in on the dashboard.",
        pattern=r"^$|^https://[^/?#]+|^http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?(/|$)",
    )
    oidc_client_id: str = Field(default="", description="What the provider knows this pool by.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The secret that the provider gave out with it; in the environment only, since others on the "
        "machine see what a program was started with. If it is missing, and its file too: the pool is a public client.",
    )
    oidc_client_secret_file: str = Field(default="", description="A file that holds the secret instead.")
    oidc_name: str = Field(default="OpenID Connect", description="What the dashboard calls the provider.")
    oidc_operators: str = Field(
        default="",
        description="Who operates the pool when signed in through the provider: subjects (`sub`) and verified e-mail "
        "addresses, separated by commas.",
    )
    oidc_sign_up: str = Field(
        default="",
        description="Who else gets an account at the first sign-in: subjects, verified e-mail addresses and their "
        "domains (`@example.org`), separated by commas; `*`: whoever the provider knows.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("--oidc-issuer takes --oidc-client-id: what the provider knows this pool by")
        return self

    @field_serializer("oidc_client_secret", when_used="json")
    def _to_other_processes(self, secret: SecretStr) -> str:
        """The server's other processes are given their settings as JSON, by a pipe."""
        return secret.get_secret_value()

    @property
    def session_ms(self) -> int:
        """How long a session lasts."""
        return self.session_hours * HOUR_MS

    def client_secret(self) -> str:
        """The secret for the provider; empty if there is none. Raises UnreadableSecret."""
        if not self.oidc_client_secret_file:
            return self.oidc_client_secret.get_secret_value()
        try:
            return Path(self.oidc_client_secret_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise UnreadableSecret(f"--oidc-client-secret-file can't be read: {problem}") from problem
