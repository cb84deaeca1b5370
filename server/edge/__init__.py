"""What stands between a socket and the application: whom a request is for, which page sent it, how
often and how long it may ask."""

from __future__ import annotations

from starlette.types import ASGIApp

from resolvers.limits import requests_of
from resolvers.rates import Rates
from server.edge.bodies import TimelyBodies
from server.edge.hosts import KnownHosts
from server.edge.leavers import UntilTheyLeave
from server.edge.origins import KnownOrigins
from server.edge.proxies import Proxied
from server.edge.rates import RatedRequests
from server.edge.turns import InTurns, Turns
from server.settings import Settings

__all__ = ["behind_edge"]


def behind_edge(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application, which from then on sees only requests that the settings let in."""
    if most := settings.address_turns_in_force:
        app = InTurns(app, Turns(most))
    edge: ASGIApp = KnownOrigins(TimelyBodies(UntilTheyLeave(app), settings.body_seconds), settings.own_origins)
    if rate := requests_of("address", settings.address_requests_in_force):
        edge = RatedRequests(edge, rate, Rates())
    hosts = settings.own_hosts
    proxies, path = settings.proxies, settings.public_path
    if hosts:
        edge = KnownHosts(edge, hosts)
    if proxies or path:
        edge = Proxied(edge, proxies, path)
        # The proxy's own word for it too: a page whose name leads here can send X-Forwarded-Host as well.
        edge = KnownHosts(edge, hosts) if hosts else edge
    return edge
