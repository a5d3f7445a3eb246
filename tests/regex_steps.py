"""How many steps does a regular expression take? An engine that matches as Python's does, by backtracking, and counts.

A step is one character or place compared. Python's own engine skips some by its optimisations: this one counts at
least as many.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import _constants as ops  # type: ignore[attr-defined] # the standard library's own, without types
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Next = Callable[[int], int | None]


def steps(pattern: re.Pattern[str], text: str) -> int:
    """Steps to find all matches of a pattern in a text."""
    return _Engine(pattern, text).find_all()[0]


def spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Where this engine finds the matches: where Python's does, or it counts something else."""
    return _Engine(pattern, text).find_all()[1]


class _Engine:
    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.text = text
        self.tree = parser.parse(pattern.pattern, pattern.flags)
        self.flags = pattern.flags
        self.count = 0
        self.groups: dict[int, tuple[int, int]] = {}

    def find_all(self) -> tuple[int, list[tuple[int, int]]]:
        found, at = [], 0
        while at <= len(self.text):
            self.groups = {}
            end = self.sequence(list(self.tree), at, self.flags, lambda i: i)
            if end is None:
                at += 1
                continue
            found.append((at, end))
            at = max(end, at + 1)
        return self.count, found

    def sequence(self, nodes: list[Any], at: int, flags: int, then: Next) -> int | None:
        if not nodes:
            return then(at)
        (op, argument), rest = nodes[0], nodes[1:]

        def following(i: int) -> int | None:
            return self.sequence(rest, i, flags, then)

        if op in {ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY}:
            return following(at + 1) if self.one(op, argument, at, flags) else None
        return self.compound(op, argument, at, flags, following)

    def compound(self, op: Any, argument: Any, at: int, flags: int, then: Next) -> int | None:
        if op is ops.BRANCH:
            ends = (self.sequence(list(branch), at, flags, then) for branch in argument[1])
            return next((end for end in ends if end is not None), None)
        if op is ops.SUBPATTERN:
            group, add, remove, inner = argument
            return self.group(group, list(inner), at, (flags | add) & ~remove, then)
        if op in {ops.MAX_REPEAT, ops.POSSESSIVE_REPEAT}:
            return self.repeat(argument, at, flags, then, possessive=op is ops.POSSESSIVE_REPEAT)
        width = self.width(op, argument, at, flags)
        return None if width is None else then(at + width)

    def width(self, op: Any, argument: Any, at: int, flags: int) -> int | None:
        """Of what matches one way only: how far it goes; None where it does not match."""
        if op is ops.AT:
            return 0 if self.boundary(at) else None
        if op in {ops.ASSERT, ops.ASSERT_NOT}:
            return 0 if self.looks(argument, at, flags) is (op is ops.ASSERT) else None
        if op is ops.GROUPREF:
            start, stop = self.groups[argument]
            self.count += stop - start
            return stop - start if self.text.startswith(self.text[start:stop], at) else None
        raise NotImplementedError(op)

    def group(self, number: int | None, inner: list[Any], at: int, flags: int, then: Next) -> int | None:
        def closed(end: int) -> int | None:
            before = self.groups.get(number or 0)
            if number:
                self.groups[number] = (at, end)
            result = then(end)
            if result is None and number:
                if before is None:
                    self.groups.pop(number, None)
                else:
                    self.groups[number] = before
            return result

        return self.sequence(inner, at, flags, closed)

    def repeat(self, argument: Any, at: int, flags: int, then: Next, *, possessive: bool) -> int | None:
        least, most, inner = argument
        ends = [at]
        # Each time as far as it goes: inside of what is repeated here, nothing is tried a second way.
        while len(ends) <= (len(self.text) if most is ops.MAXREPEAT else most):
            end = self.sequence(list(inner), ends[-1], flags, lambda i: i)
            if end is None or end == ends[-1]:
                break
            ends.append(end)
        if len(ends) <= least:
            return None
        if possessive:
            return then(ends[-1])
        results = (then(end) for end in reversed(ends[least:]))
        return next((result for result in results if result is not None), None)

    def looks(self, argument: Any, at: int, flags: int) -> bool:
        direction, inner = argument
        if direction < 0:
            start = at - inner.getwidth()[0]
            return start >= 0 and self.sequence(list(inner), start, flags, lambda i: i) == at
        return self.sequence(list(inner), at, flags, lambda i: i) is not None

    def boundary(self, at: int) -> bool:
        self.count += 1
        return self.is_word(self.text[max(0, at - 1) : at]) != self.is_word(self.text[at : at + 1])

    def is_word(self, char: str) -> bool:
        return bool(char) and (char.isalnum() or char == "_")

    def one(self, op: Any, argument: Any, at: int, flags: int) -> bool:
        self.count += 1
        if at >= len(self.text):
            return False
        char = self.text[at]
        if op is ops.ANY:
            return char != "\n"
        forms = {char, char.lower(), char.upper()} if flags & re.IGNORECASE else {char}
        if op is ops.LITERAL:
            return any(ord(form) == argument for form in forms if len(form) == 1)
        if op is ops.NOT_LITERAL:
            return not any(ord(form) == argument for form in forms if len(form) == 1)
        negated = argument[0][0] is ops.NEGATE
        inside = any(self.is_in(form, argument[negated:]) for form in forms if len(form) == 1)
        return inside is not negated

    def is_in(self, char: str, items: list[Any]) -> bool:
        for op, value in items:
            if op is ops.LITERAL and ord(char) == value:
                return True
            if op is ops.RANGE and value[0] <= ord(char) <= value[1]:
                return True
            if op is ops.CATEGORY and self.category(char, value):
                return True
        return False

    def category(self, char: str, value: Any) -> bool:
        tests = {
            ops.CATEGORY_DIGIT: char.isdecimal(),
            ops.CATEGORY_NOT_DIGIT: not char.isdecimal(),
            ops.CATEGORY_SPACE: char.isspace(),
            ops.CATEGORY_NOT_SPACE: not char.isspace(),
            ops.CATEGORY_WORD: self.is_word(char),
            ops.CATEGORY_NOT_WORD: not self.is_word(char),
        }
        return tests[value]
