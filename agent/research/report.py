"""What does the report look like?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.research.payloads import Finding, ReportInput, SearchResult


def format_report(report: ReportInput) -> str:
    """Format a report as Markdown: the question, the summary, a section with its sources for each finding."""
    sections = [_section(finding) for finding in report.findings]
    return "\n\n".join([f"# {report.question}", report.summary, *sections]) + "\n"


def append_notes(report: str, notes: Sequence[str]) -> str:
    """Append the notes that were added while the agent worked."""
    if not notes:
        return report
    return "\n".join([report, "## Notes", "", *(f"- {note}" for note in notes)]) + "\n"


def _section(finding: Finding) -> str:
    sources = [f"{number}. {_link(source)}" for number, source in enumerate(finding.sources, start=1)]
    return f"## {finding.query}\n\n{finding.synthesis}" + ("\n\n" + "\n".join(sources) if sources else "")


def _link(source: SearchResult) -> str:
    """Link a source. Titles and addresses come from the web, so neither may break out of the link."""
    title = source.title.replace("[", "(").replace("]", ")").replace("\n", " ")
    if not source.url.startswith(("http://", "https://")) or any(mark in source.url for mark in "<> \n"):
        return title
    return f"[{title}](<{source.url}>)"
