"""Where does the agent search when there is no network?

    python -m agent.local.search_server --port 0

prints one line when it is ready: `{"url": "http://127.0.0.1:PORT", "control": "http://127.0.0.1:PORT/control"}`.
Give the `url` to the agent as `SEARCH_BASE_URL`. It answers in the format of DuckDuckGo's Instant Answer API.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.routing import Route

from agent.local import control
from agent.local.exchange import Exchange, Reply
from agent.local.journal import Asked
from agent.local.serving import LocalServer, listening, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

# DuckDuckGo's own media type for `format=json`.
MEDIA_TYPE = "application/x-javascript"
SITE = "https://example.com"


def instant_answer(query: str) -> dict[str, Any]:
    """Return the instant answer to a query: an abstract, two topics, and a group with one more."""
    quoted = f"“{query}”"
    abstract = f"An introduction defines the terms of {quoted}."
    page = f"{SITE}/{re.sub(r'[^a-z0-9]+', '-', query.lower()).strip('-')}"
    return {
        "Heading": query,
        "Abstract": abstract,
        "AbstractText": abstract,
        "AbstractSource": "Example",
        "AbstractURL": page,
        "RelatedTopics": [
            _topic(f"Field report - One team reports a year of work on {quoted}.", f"{page}/field-report"),
            _topic(f"Survey - Forty teams were asked about {quoted}.", f"{page}/survey"),
            {
                "Name": "See also",
                "Topics": [_topic(f"Glossary - A glossary lists the words of {quoted}.", f"{page}/glossary")],
            },
        ],
        "Results": [],
        "Type": "A",
    }


def _topic(text: str, url: str) -> dict[str, str]:
    return {"FirstURL": url, "Result": f'<a href="{url}">{text}</a>', "Text": text}


def _error_body(status: int, message: str) -> dict[str, Any]:
    return {"status": status, "error": message}


@asynccontextmanager
async def search_server(port: int = 0) -> AsyncIterator[LocalServer]:
    """Run a search server in this process for the duration of the context.

    Args:
        port: The port to listen on; 0 takes a free one.

    Yields:
        The server's addresses.

    Raises:
        OSError: The port is taken.
    """
    exchange = Exchange(_error_body)

    async def search(request: Request) -> Response:
        query = request.query_params.get("q", "")
        if request.query_params.get("format") != "json":
            return exchange.error(400, "This server answers in JSON only: add format=json.")
        asked = Asked(endpoint=request.url.path, step=query, prompt=query)
        return await exchange.answer(
            request, asked, lambda: Reply((msgspec.json.encode(instant_answer(query)),), MEDIA_TYPE)
        )

    routes = [Route("/", search, methods=["GET"]), control.control_routes(exchange, forget=lambda: None)]
    async with listening(Starlette(routes=routes), port=port, before_stop=exchange.faults.close) as origin:
        yield LocalServer(url=origin, control=f"{origin}{control.PATH}")


if __name__ == "__main__":
    raise SystemExit(run(search_server, description="Serve DuckDuckGo's Instant Answer format locally."))
