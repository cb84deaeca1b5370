"""nginx and Caddy as `docs/operators.md` has them configured, each before a pool."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import lacking
from tests.docs.pages import DOCS, blocks
from tests.processes import until

HOST = "pool.localhost"
"""A name that browsers know to be this machine's (RFC 6761, section 6.3)."""
NGINX = """daemon off;
pid {home}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {home}/bodies;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {documented}
}}
"""
CADDY = """{{
    admin off
    auto_https disable_redirects
    local_certs
    skip_install_trust
    storage file_system {home}
}}
{documented}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def documented(program: str, variant: str) -> str:
    """The configuration of a proxy, as operators are told it."""
    there = {(each.language, *each.words): each.text for each in blocks(DOCS / "operators.md")}
    return there[program, variant]


@contextmanager
def running_proxy(program: str, variant: str, port: int, pool_port: int, home: Path) -> Iterator[None]:
    """A proxy with TLS on `port` of this machine, before the pool on `pool_port`; it keeps its files in `home`.

    Of the documented configuration only addresses and the certificate's place are others.
    """
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if not found:
        lacking(program)
    text = documented(program, variant).replace("127.0.0.1:7070", f"127.0.0.1:{pool_port}")
    run = {"nginx": _nginx, "caddy": _caddy}[program]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(run(found, text, port, home), stderr=log, stdout=log)
        try:
            until(lambda: process.poll() is not None or _greets(port), f"{program} answers")
            assert process.poll() is None, (home / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(30)


def _nginx(program: str, text: str, port: int, home: Path) -> list[str]:
    certificate, key = home / "fullchain.pem", home / "privkey.pem"
    names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-out", certificate, "-keyout", key, *names],
        check=True,
        capture_output=True,
    )
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name pool.example": f"server_name {HOST}",
        "/etc/ssl/pool.example": str(home),
    }.items():
        assert old in text
        text = text.replace(old, new)
    configuration = home / "nginx.conf"
    configuration.write_text(NGINX.format(home=home, documented=text))
    return [program, "-c", str(configuration), "-e", "stderr", "-p", str(home)]


def _caddy(program: str, text: str, port: int, home: Path) -> list[str]:
    assert text.startswith("pool.example {")
    configuration = home / "Caddyfile"
    site = text.replace("pool.example {", f"https://{HOST}:{port} {{\n    bind 127.0.0.1")
    configuration.write_text(CADDY.format(home=home, documented=site))
    return [program, "run", "--config", str(configuration), "--adapter", "caddyfile"]


def _greets(port: int) -> bool:
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            unverified().wrap_socket(plain, server_hostname=HOST),
        ):
            return True
    except OSError:
        return False


def unverified() -> ssl.SSLContext:
    """Takes the certificate that a proxy made for itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
