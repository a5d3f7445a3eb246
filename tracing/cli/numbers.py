"""Numbers that users give to commands."""

from __future__ import annotations

import math
from typing import Any, Final

import click

A_DAY: Final = 86_400
"""In seconds: longer than anybody waits for anything here, and no longer than operating systems can."""


class Number(click.FloatRange):
    """A number in a range. Not `nan`, which compares with nothing, and so is in every range of click's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number that a text says."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number
