"""What do the later builds of the research agent ask the model?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.research.payloads import LLMRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.research.payloads import Finding

CHECK = "Check"


def check_request(findings: Sequence[Finding]) -> LLMRequest:
    """Ask whether the findings agree with each other."""
    listed = "\n".join(
        f"[{number}] {finding.query}: {finding.synthesis}" for number, finding in enumerate(findings, start=1)
    )
    return LLMRequest(
        system="You check the findings of a research report against each other.",
        prompt=f"# {CHECK}\n\nName the statements that contradict each other, if any do.\n\n{listed}",
    )
