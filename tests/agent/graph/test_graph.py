"""The graph's nodes and edges: after a critique it goes on, or back."""

from __future__ import annotations

import pytest

from agent.graph.graph import MOST_DRAFTS, after_critique, build_graph


def test_its_nodes_and_edges() -> None:
    drawn = build_graph().compile().get_graph()
    assert [(edge.source, edge.target, edge.conditional) for edge in drawn.edges] == [
        ("__start__", "plan", False),
        ("critique", "draft", True),
        ("critique", "report", True),
        ("draft", "critique", False),
        ("plan", "search", False),
        ("search", "draft", False),
        ("report", "__end__", False),
    ]


@pytest.mark.parametrize(
    ("critique", "drafts", "then"),
    [("REVISE: more.", 1, "draft"), ("ACCEPT: good.", 1, "report"), ("REVISE: more.", MOST_DRAFTS, "report")],
)
async def test_it_drafts_until_the_critic_accepts_but_not_for_ever(critique: str, drafts: int, then: str) -> None:
    assert await after_critique({"critique": critique, "drafts": drafts}) == then


def test_each_graph_is_another_one() -> None:
    # Temporal's plugin puts its own functions into the nodes of the graph that it is given.
    first, second = build_graph(), build_graph()
    assert first.nodes["plan"].runnable is not second.nodes["plan"].runnable
