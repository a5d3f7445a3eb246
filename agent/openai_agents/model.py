"""How do the agents' model calls reach the model?"""

from __future__ import annotations

from datetime import timedelta

import httpx2
from agents import OpenAIProvider
from openai import AsyncOpenAI
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin

from agent.research.services import Services, http_client

MODEL_TIMEOUT = timedelta(seconds=60)
# A killed worker is noticed after this time, not only at the timeout above.
MODEL_HEARTBEAT_TIMEOUT = timedelta(seconds=3)
MODEL_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=5
)


def agents_plugin(client: AsyncOpenAI | None = None) -> OpenAIAgentsPlugin:
    """The plugin by which the agents' model calls become activities.

    Args:
        client: The model's client; that of `model_client` by default.
    """
    parameters = ModelActivityParameters(
        start_to_close_timeout=MODEL_TIMEOUT, heartbeat_timeout=MODEL_HEARTBEAT_TIMEOUT, retry_policy=MODEL_RETRIES
    )
    return OpenAIAgentsPlugin(parameters, OpenAIProvider(openai_client=client or model_client()))


def model_client(services: Services | None = None) -> AsyncOpenAI:
    """Return a client of the model.

    Temporal's retries are the only ones: the client's own are off, for they would hide failed requests from the
    history, and two layers of retries multiply.

    Args:
        services: Where the model is; as the environment says by default.
    """
    services = services or Services.from_environment()
    # A little less than an attempt may take, so that it ends with a failure that says what was slow.
    http = http_client(services.openai_url, MODEL_TIMEOUT.total_seconds() * 0.9)
    http.event_hooks = {"request": [_name_attempt]}
    return AsyncOpenAI(
        # Without a key the model says what is missing.
        api_key=services.openai_key or "none",
        base_url=services.openai_url,
        max_retries=0,
        http_client=http,
    )


async def _name_attempt(request: httpx2.Request) -> None:
    """Name the attempt to the model's service.

    OpenAI keeps it in its logs: it leads from a request there to the attempt that made it.
    """
    info = activity.info()
    request.headers["X-Client-Request-Id"] = f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}"
