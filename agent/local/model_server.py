"""Where does the agent find a model when there is no key and no network?

    python -m agent.local.model_server --port 0

prints one line when it is ready: `{"url": "http://127.0.0.1:PORT/v1", "control": "http://127.0.0.1:PORT/control"}`.
Give the `url` to the agent as `OPENAI_BASE_URL`. It serves chat completions, responses, embeddings and
models in OpenAI's format.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.local import control
from agent.local.model.app import ModelApp
from agent.local.serving import LocalServer, listening, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def model_server(port: int = 0) -> AsyncIterator[LocalServer]:
    """Run a model server in this process for the duration of the context.

    Args:
        port: The port to listen on; 0 takes a free one.

    Yields:
        The server's addresses; `url` is a base URL for `openai.AsyncOpenAI`.

    Raises:
        OSError: The port is taken.
    """
    app = ModelApp()
    async with listening(app.starlette(), port=port, before_stop=app.exchange.faults.close) as origin:
        yield LocalServer(url=f"{origin}/v1", control=f"{origin}{control.PATH}")


if __name__ == "__main__":
    raise SystemExit(run(model_server, description="Serve OpenAI's API locally, with deterministic answers."))
