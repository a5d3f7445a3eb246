"""Which recognisers are there, in which order are they asked?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from tracing.config import logger
from tracing.recognisers.anthropic import recognise as recognise_anthropic
from tracing.recognisers.google import recognise_adk, recognise_anywhere, recognise_raw
from tracing.recognisers.langchain import recognise as recognise_langchain
from tracing.recognisers.model import Recogniser
from tracing.recognisers.openai_agents import recognise as recognise_openai_agents
from tracing.recognisers.openai_results import recognise as recognise_openai
from tracing.recognisers.pydantic_ai import recognise as recognise_pydantic_ai
from tracing.recognisers.strands import recognise as recognise_strands

ENTRY_POINTS: Final = "durable_trace.recognisers"
"""Group of the entry points by which packages add recognisers of their own."""

BUILT_IN: Final[Mapping[str, Recogniser]] = {
    # First those that know an activity's type, then those that look for a shape anywhere.
    "openai_agents": recognise_openai_agents,
    "google_genai": recognise_raw,
    "google_adk": recognise_adk,
    "strands": recognise_strands,
    "openai": recognise_openai,
    "anthropic": recognise_anthropic,
    "google": recognise_anywhere,
    "langchain": recognise_langchain,
    "pydantic_ai": recognise_pydantic_ai,
}
"""Our own, by the name that their spans carry."""

ANYWHERE: Final = frozenset({"openai", "anthropic", "google", "langchain", "pydantic_ai"})
"""Those that find whole conversations as well, in which are calls of earlier activities."""


@cache
def added() -> Mapping[str, Recogniser]:
    """Those that packages add, by the name of their entry point; they are asked first. One that fails is left out."""
    found: dict[str, Recogniser] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            found[entry.name] = entry.load()
        except Exception as error:  # noqa: BLE001 - somebody else's package must not end an export, or harm an agent
            logger.warning("Recogniser %s cannot be loaded (%s): it is left out", entry.name, error)
    return found
