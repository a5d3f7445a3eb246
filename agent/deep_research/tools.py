"""Which tools may the model call? Each is an activity: its result is a step in the history, and never fetched again."""

from __future__ import annotations

import ast
import math
import operator
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from agent.research import activities as research
from agent.research.payloads import SearchResult
from tracing import tool

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionToolParam

LONGEST_EXPRESSION = 200
LARGEST_EXPONENT = 100
_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@activity.defn
@tool
async def search_web(query: str) -> list[SearchResult]:
    """Search the web.

    Args:
        query: What to search for.

    Raises:
        ApplicationError: The service refused, failed, or could not be reached in time.
    """
    return await research.search_web(query)


@activity.defn
@tool
async def calculate(expression: str) -> str:
    """Work out an arithmetic expression.

    Args:
        expression: Numbers, brackets, and the operators + - * / and ** (with a small exponent).

    Raises:
        ApplicationError: It is no such expression, or has no value.
    """
    try:
        return f"{_finite(_value(_parsed(expression))):g}"
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        message = f"{expression[:LONGEST_EXPRESSION]!r} cannot be calculated: {error}."
        raise ApplicationError(message, type="NotCalculable", non_retryable=True) from error


def _parsed(expression: str) -> ast.expr:
    if len(expression) > LONGEST_EXPRESSION:
        raise ValueError(f"it is longer than {LONGEST_EXPRESSION} characters")
    return ast.parse(expression, mode="eval").body


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OverflowError("the result is too large")
    return value


def _value(node: ast.expr) -> float:
    # The syntax tree is walked, and never run: the model's text may be anybody's.
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and abs(right) > LARGEST_EXPONENT:
            raise ValueError(f"an exponent is larger than {LARGEST_EXPONENT}")
        result = _OPERATORS[type(node.op)](left, right)
        if isinstance(result, float):
            return result
    raise ValueError("it has more than numbers, brackets and the operators + - * / **")


def _definition(name: str, description: str, parameter: str, schema: dict[str, Any]) -> ChatCompletionToolParam:
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {parameter: {"type": "string", **schema}},
                "required": [parameter],
                "additionalProperties": False,
            },
        },
    }


DEFINITIONS = [
    _definition("search_web", "Searches the web.", "query", {"description": "What to search for."}),
    _definition(
        "calculate",
        "Works out an arithmetic expression.",
        "expression",
        {
            "description": "Numbers, brackets, and the operators + - * / and **.",
            "examples": ["(1200 - 300) / 1200"],
        },
    ),
]
"""The tools as the model is told of them."""
