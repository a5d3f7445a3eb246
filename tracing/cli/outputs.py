"""Where a user wants files to go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class Output(click.Path):
    """A file or folder to write. Not "", which a variable that is not set leaves and which is the current folder.

    Args:
        folder: Whether it may be a folder that is there.
        file: Whether it may be a file that is there.
    """

    def __init__(self, *, folder: bool = True, file: bool = True) -> None:
        super().__init__(path_type=Path, dir_okay=folder, file_okay=file)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path that a text names."""
        if value == "":
            self.fail("It is empty: check what it was made from. The current folder is '.'.", param, ctx)
        return super().convert(value, param, ctx)
