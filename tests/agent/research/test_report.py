"""What the report looks like."""

from __future__ import annotations

from temporalio.testing import ActivityEnvironment

from agent.research.activities import generate_report
from agent.research.payloads import Finding, ReportInput, SearchResult
from agent.research.report import append_notes, format_report


async def test_a_report_has_the_question_the_summary_and_a_section_for_each_finding() -> None:
    sources = [
        SearchResult(title="Field report", text="Tea is fine.", url="https://example.com/a"),
        SearchResult(title="Survey", text="All drank it.", url="https://example.com/b"),
    ]
    findings = [Finding("tea in practice", "Tea is fine. [1]", sources), Finding("tea limits", "None known.", [])]
    report = await ActivityEnvironment().run(generate_report, ReportInput("Is tea healthy?", "Yes. [1]", findings))

    assert (
        report
        == """\
# Is tea healthy?

Yes. [1]

## tea in practice

Tea is fine. [1]

1. [Field report](<https://example.com/a>)
2. [Survey](<https://example.com/b>)

## tea limits

None known.
"""
    )


def test_notes_come_last() -> None:
    assert append_notes("# Tea\n", ["Ask again.", "Soon."]) == "# Tea\n\n## Notes\n\n- Ask again.\n- Soon.\n"
    assert append_notes("# Tea\n", []) == "# Tea\n"


def test_a_source_cannot_break_out_of_its_link() -> None:
    sources = [
        SearchResult(title="a](https://evil) [b\nc", text="", url="https://example.com/a"),
        SearchResult(title="script", text="", url="javascript:alert(1)"),
        SearchResult(title="bracket", text="", url="https://example.com/> [x](https://evil"),
    ]

    report = format_report(ReportInput("Q", "S", [Finding("F", "T", sources)]))

    assert report.splitlines()[-3:] == [
        "1. [a)(https://evil) (b c](<https://example.com/a>)",
        "2. script",
        "3. bracket",
    ]
