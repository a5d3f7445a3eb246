"""The tools that the model may call, as attempts of their activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from agent.deep_research.tools import calculate, search_web

if TYPE_CHECKING:
    from temporalio.testing import ActivityEnvironment


@pytest.mark.parametrize(
    ("expression", "value"),
    [("(1200 - 300) / 1200", "0.75"), ("-2 ** 2 + 0.5 * 3", "-2.5"), ("2 ** -1", "0.5"), ("7", "7")],
)
async def test_it_calculates(attempt: ActivityEnvironment, expression: str, value: str) -> None:
    assert await attempt.run(calculate, expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').getcwd()",
        "'a' * 9",
        "True + 1",
        "1 if 2 else 3",
        "9 ** 9 ** 9",
        "(-8) ** 0.5",
        "1 / 0",
        "1e308 * 10 ** 9 - 1e999",
        "1 +",
        "(" * 150 + ")" * 150,
        "1" * 201,
    ],
)
async def test_what_is_no_arithmetic_is_refused_and_not_tried_again(
    attempt: ActivityEnvironment, expression: str
) -> None:
    with pytest.raises(ApplicationError, match="cannot be calculated: ") as raised:
        await attempt.run(calculate, expression)

    assert (raised.value.type, raised.value.non_retryable) == ("NotCalculable", True)


async def test_it_searches(attempt: ActivityEnvironment) -> None:
    found = await attempt.run(search_web, "Green tea")

    assert [source.url for source in found] == [
        "https://example.com/green-tea",
        "https://example.com/green-tea/field-report",
        "https://example.com/green-tea/survey",
        "https://example.com/green-tea/glossary",
    ]
