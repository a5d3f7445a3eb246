"""Which services does the agent use, and how does it reach them?"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
from temporalio import activity

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

OPENAI_URL = "https://api.openai.com/v1"
DUCKDUCKGO_URL = "https://api.duckduckgo.com"
_WITHOUT_LIMIT = timedelta(minutes=10)


@dataclass(frozen=True)
class Services:
    """The services that the activities call.

    Attributes:
        model: `RESEARCH_MODEL`: the model's name; `gpt-4o` by default.
        openai_url: `OPENAI_BASE_URL`: where the model is; OpenAI by default.
        openai_key: `OPENAI_API_KEY`: the key for it; none is needed for a model on this machine.
        search_url: `SEARCH_BASE_URL`: where Instant Answers come from; DuckDuckGo by default.
    """

    model: str
    openai_url: str
    openai_key: str | None
    search_url: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Services:
        """Read the settings from `environ` (this process's by default); an empty variable counts as not set."""
        environ = os.environ if environ is None else environ
        url = environ.get("OPENAI_BASE_URL") or OPENAI_URL
        # The client wants some key in any case, and a server on this machine asks for none.
        key = environ.get("OPENAI_API_KEY") or ("none" if _on_this_machine(url) else None)
        return cls(
            model=environ.get("RESEARCH_MODEL") or "gpt-4o",
            openai_url=url,
            openai_key=key,
            search_url=environ.get("SEARCH_BASE_URL") or DUCKDUCKGO_URL,
        )


def request_timeout_s() -> float:
    """Return how long a request of the current activity may take, in seconds.

    That is a little less than the attempt may, so that the attempt itself ends with a failure that says what was slow.
    """
    return (activity.info().start_to_close_timeout or _WITHOUT_LIMIT).total_seconds() * 0.9


def http_client(url: str, timeout_s: float) -> httpx2.AsyncClient:
    """Return an HTTP client for a service; proxies of the environment are passed by for one on this machine."""
    return httpx2.AsyncClient(
        timeout=timeout_s, follow_redirects=True, verify=_tls_context(), trust_env=not _on_this_machine(url)
    )


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """Return what all clients share: loading the trusted certificates takes as long as a short activity."""
    return httpx2.create_ssl_context()


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
