"""Which sources does an Instant Answer of DuckDuckGo name?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.research.payloads import SearchResult

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS_KEPT = 5
TEXT_CHARACTERS_KEPT = 1000


def search_results(answer: Any) -> list[SearchResult]:
    """Read the first sources from an answer: its abstract, its results, then its related topics.

    The answer comes from the web: whatever does not have the documented form is passed over, and texts are cut, so that
    results stay far below Temporal's payload limit.
    """
    if not isinstance(answer, dict):
        return []
    abstract = {"Text": answer.get("AbstractText"), "FirstURL": answer.get("AbstractURL")}
    found = [_result(abstract, title=answer.get("Heading"))]
    found.extend(_result(topic) for key in ("Results", "RelatedTopics") for topic in _topics(answer.get(key)))
    return [result for result in found if result][:RESULTS_KEPT]


def _topics(entries: Any) -> Iterator[dict[str, Any]]:
    """Yield the topics of a list, and those of the groups in it."""
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            yield entry
            yield from (topic for topic in entry.get("Topics") or [] if isinstance(topic, dict))


def _result(topic: dict[str, Any], *, title: Any = None) -> SearchResult | None:
    text, url = topic.get("Text"), topic.get("FirstURL")
    if not (isinstance(text, str) and text and isinstance(url, str) and url):
        return None
    # A topic's text begins with its title: "Title - What it is".
    head, dash, rest = text.partition(" - ")
    if isinstance(title, str) and title:
        head, rest = title, text
    elif not dash:
        rest = text
    return SearchResult(title=head[:TEXT_CHARACTERS_KEPT], text=rest[:TEXT_CHARACTERS_KEPT], url=url)
