"""What the graph's writer and its critic ask, and how the verdict is read."""

from __future__ import annotations

import pytest

from agent.graph.prompts import critique_request, draft_request, is_accepted


def test_the_first_draft_is_asked_for_from_numbered_sources() -> None:
    assert draft_request(1, "Tea?", ["Survey: All drank it.", "Report: It is hot."], "").prompt == (
        "# Draft 1\n\nAnswer the question from these sources.\n\nQuestion: Tea?\n\n"
        "[1] Survey: All drank it.\n[2] Report: It is hot."
    )


def test_the_next_draft_is_to_mend_what_the_critic_said() -> None:
    assert draft_request(2, "Tea?", [], "REVISE: it is cold.").prompt == (
        "# Draft 2\n\nAnswer the question from these sources.\n\nQuestion: Tea?\n\n"
        "The critic said of the last draft: REVISE: it is cold.\n\nNo source was found; say so."
    )


def test_the_critic_is_told_what_it_said_before() -> None:
    asked = (
        "Does the draft answer the question, and cite a source for all it says? Answer REVISE or ACCEPT, and say why."
    )
    assert critique_request(1, "Tea?", "It is hot. [2]", "").prompt == (
        f"# Critique 1\n\n{asked}\n\nQuestion: Tea?\n\nDraft:\nIt is hot. [2]"
    )
    assert critique_request(2, "Tea?", "It is hot. [2]", "REVISE: who says so?").prompt == (
        f"# Critique 2\n\n{asked}\n\nQuestion: Tea?\n\nYou said of the last draft: REVISE: who says so?\n\n"
        "Draft:\nIt is hot. [2]"
    )


@pytest.mark.parametrize("critique", ["ACCEPT", "Accepted: it cites all.", "**ACCEPT**, for …", "\n# ACCEPT\n"])
def test_a_verdict_to_accept(critique: str) -> None:
    assert is_accepted(critique)


@pytest.mark.parametrize("critique", ["REVISE: I cannot ACCEPT this.", "", "Hm."])
def test_any_other_verdict_is_to_revise(critique: str) -> None:
    assert not is_accepted(critique)
