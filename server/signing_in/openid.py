"""`/session/openid`: signing in through an OpenID Connect provider, by its authorization code flow with PKCE.

The provider sends the browser back from another site, and a cookie that is SameSite=Strict does not come along. The
login under way (state, nonce and code verifier) is therefore kept in a cookie of its own, signed, SameSite=Lax and
short-lived; the landing leads to a page, whose requests are of the pool's own site again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from resolvers.access import sessions
from resolvers.access.identities import Identity, Members, account_of
from resolvers.errors import Forbidden
from resolvers.runtime import Runtime
from server.settings import Settings, members
from server.signing_in.cookies import SessionCookie, root_of
from server.signing_in.login import LoginCookie
from server.signing_in.sessions import Sessions

START = "/session/openid"
LANDING = "/session/openid/landing"
PROVIDER_S = 10.0
DISCOVERY = "/.well-known/openid-configuration"
ASYMMETRIC = ("RS", "PS", "ES", "Ed")
"""How the names of algorithms begin whose keys a provider publishes (RFC 7518, section 3.1; RFC 8037)."""
SHOWN = 300

log = logging.getLogger(__name__)


class Failure(StrEnum):
    """Why nobody was signed in, as the dashboard is told."""

    DENIED = "denied"
    EXPIRED = "expired"
    PROVIDER = "provider"
    STRANGER = "stranger"


class OpenId:
    """The OpenID Connect provider of the settings."""

    def __init__(self, settings: Settings, runtime: Callable[[], Runtime], cookie: SessionCookie, own: Sessions):
        """Raises UnreadableSecret."""
        self._issuer = settings.oidc_issuer
        self._public_url = settings.public_url
        self._life_ms = settings.session_ms
        self._members = Members(members(settings.oidc_operators), members(settings.oidc_sign_up))
        self._runtime = runtime
        self._logins = LoginCookie(cookie)
        self._sessions = own
        secret = settings.client_secret()
        self._client = OAuth().register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=secret or None,
            server_metadata_url=f"{self._issuer.rstrip('/')}{DISCOVERY}",
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "timeout": PROVIDER_S}
            | ({} if secret else {"token_endpoint_auth_method": "none"}),
        )

    def routes(self) -> list[Route]:
        return [Route(path, answer, methods=["GET"]) for path, answer in ((START, self._start), (LANDING, self._land))]

    async def _start(self, request: Request) -> Response:
        return await self._answered(self._to_provider, request)

    async def _land(self, request: Request) -> Response:
        return await self._answered(self._signed_in, request)

    async def _answered(self, answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        """The answer, with the login as it is after it."""
        runtime = self._runtime()
        request.scope["session"] = self._logins.shown(request, runtime)
        response = await self._attempted(answer, request)
        response.headers["cache-control"] = "no-store"
        self._logins.keep(response, request, runtime, request.session)
        return response

    async def _attempted(self, answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        """The answer, or the way to the page that says why there is none."""
        try:
            await self._discover()
            return await answer(request)
        except Forbidden as refused:
            log.info("a sign-in was refused: %s", refused.message)
            return _dashboard(request, Failure.STRANGER)
        except AuthlibBaseError as problem:
            log.warning("a sign-in failed: %s", f"{problem.error}: {problem.description}"[:SHOWN])
            failures = {"access_denied": Failure.DENIED, "mismatching_state": Failure.EXPIRED}
            return _dashboard(request, failures.get(str(problem.error), Failure.PROVIDER))
        except (
            httpx2.HTTPError,
            httpx2.InvalidURL,
            JoseError,
            KeyError,
            TypeError,
            ValueError,
            RuntimeError,
        ) as problem:
            # What a provider answers may be anything: an error page, or no JSON.
            log.warning("a sign-in failed: %s", f"{type(problem).__name__}: {problem}"[:SHOWN])
            return _dashboard(request, Failure.PROVIDER)

    async def _discover(self) -> None:
        """Read what the provider says of itself, once. Raises ValueError for what is another issuer's
        (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation)."""
        known = await self._client.load_server_metadata()
        if str(known.get("issuer")).rstrip("/") != self._issuer.rstrip("/"):
            found = known.get("issuer")
            known.clear()
            raise ValueError(f"--oidc-issuer is {self._issuer!r}, and the provider there calls itself {found!r}")
        offered = known.get("id_token_signing_alg_values_supported") or ["RS256"]
        known["id_token_signing_alg_values_supported"] = [each for each in offered if each.startswith(ASYMMETRIC)]

    async def _to_provider(self, request: Request) -> Response:
        redirect: Response = await self._client.authorize_redirect(request, self._landing(request))
        return redirect

    async def _signed_in(self, request: Request) -> Response:
        runtime = self._runtime()
        identity = Identity.of(self._issuer, await self._claims(request))
        account = await account_of(runtime, identity, self._members)
        if account.blocked_at:
            raise Forbidden(f"the account {account.key!r} is blocked")
        opened = await sessions.open_for(runtime, account.key, self._members.scopes_of(identity), self._life_ms)
        response = _dashboard(request)
        self._sessions.keep(response, request, runtime, *opened)
        return response

    async def _claims(self, request: Request) -> dict[str, Any]:
        """What the provider says of who signed in; what it leaves out of the ID token, it may say when asked."""
        token = await self._client.authorize_access_token(request)
        claims: dict[str, Any] = dict(token["userinfo"])
        if "email" not in claims and "userinfo_endpoint" in self._client.server_metadata:
            more = await self._client.userinfo(token=token)
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        return claims

    def _landing(self, request: Request) -> str:
        if self._public_url:
            return f"{self._public_url.rstrip('/')}{LANDING}"
        return str(request.url.replace(path=f"{root_of(request.scope)}{LANDING}", query=""))


def _dashboard(request: Request, failure: Failure | None = None) -> Response:
    """The way to the dashboard, which says what failed, if something has."""
    page = f"#/sign-in?problem={failure}" if failure else "#/flows"
    return RedirectResponse(f"{root_of(request.scope)}/dashboard{page}", 303)
