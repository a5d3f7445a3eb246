"""Recorded runs as tests: ``pytest --replay-histories DIR``.

Each history below the folder is a test, which replays it against today's workflow code. What is needed for that is
imported when the first of them is collected: a test run without the option is none the slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tracing.replay.checks import Checks

_FOLDERS: Final = pytest.StashKey[list[Path]]()
_CHECKS: Final = pytest.StashKey["Checks"]()
_STATUS: Final = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("durable-trace", "replays of recorded runs")
    group.addoption(
        "--replay-histories",
        action="append",
        default=[],
        metavar="DIR",
        help="Make each Temporal history in this folder (or file) a test: it is replayed. Can be repeated.",
    )
    group.addoption(
        "--replay-workflow",
        action="append",
        default=[],
        metavar="MODULE[:CLASS]",
        help="Workflow class to replay against, or all of a module; besides `replay_workflows`. Can be repeated.",
    )
    group.addoption(
        "--replay-skip-unknown",
        action="store_true",
        help="Skip histories of workflow types that no class is given of, instead of failing.",
    )
    parser.addini("replay_workflows", "Workflow classes to replay against (module:Class), or modules.", type="linelist")
    parser.addini("replay_data_converter", "The DataConverter of your workers (module:object).", default="")
    parser.addini("replay_plugins", "Plugins of your workers (module:object).", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Have the folders collected beside what is collected anyway."""
    folders = [Path(config.invocation_params.dir, folder) for folder in config.getoption("--replay-histories")]
    for folder in folders:
        if folder.is_dir():
            from tracing.replay.checks import why_empty  # noqa: PLC0415 - see above

            if reason := why_empty(folder):  # tests that guard nothing must not pass
                raise pytest.UsageError(f"--replay-histories: {reason}")
    config.stash[_FOLDERS] = [folder.resolve() for folder in folders]
    config.args.extend(str(folder) for folder in folders if str(folder) not in config.args)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the histories of the folders."""
    folders = parent.config.stash.get(_FOLDERS, [])
    if not folders:
        return None
    path = file_path.resolve()
    if not any(path == folder or path.is_relative_to(folder) for folder in folders):
        return None
    from tracing.replay.checks import is_history  # noqa: PLC0415 - see above

    if path not in folders and not is_history(str(path)):
        return None
    collector: pytest.Collector = HistoryFile.from_parent(parent, path=file_path)
    return collector


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the exit code."""
    session.config.stash[_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End here where histories were replayed: Temporal's SDK can crash the interpreter's own end, and the exit code."""
    # A worker of pytest-xdist must still talk to its controller, which takes its results and not its exit code.
    if _CHECKS in config.stash and _STATUS in config.stash and not hasattr(config, "workerinput"):
        from tracing.exit import exit_process  # noqa: PLC0415 - see above

        exit_process(config.stash[_STATUS])


class HistoryFile(pytest.File):
    """A file with the history of a run, or of several."""

    def collect(self) -> Iterator[pytest.Item]:
        """Each history in the file, also one that cannot be read; one of several files with the first of them."""
        checks = _checks(self)
        for position, name in checks.names(str(self.path)):
            item: pytest.Item = HistoryItem.from_parent(self, name=name, position=position)
            yield item


class HistoryItem(pytest.Item):
    """A history that is to be reproduced."""

    def __init__(self, *, position: int, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type] # pytest's own, handed on
        self.position = position

    def runtest(self) -> None:
        """Replay it, in a thread of its own: the event loops of this one are the other tests'."""
        checks = _checks(self)
        named = self.path.resolve() in self.config.stash[_FOLDERS]
        with ThreadPoolExecutor(1, thread_name_prefix="replay-test") as executor:
            skipped = executor.submit(checks.check, str(self.path), self.position, named=named).result()
        if skipped:
            pytest.skip(skipped)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """What diverged, without a traceback of ours."""
        from tracing.replay.checks import NotReproducedError  # noqa: PLC0415 - see above

        if isinstance(excinfo.value, NotReproducedError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))  # type: ignore[arg-type] # pytest's own, handed on

    def reportinfo(self) -> tuple[Path, None, str]:
        """What it is called in reports."""
        return self.path, None, f"replay of {self.name}"


def _checks(node: pytest.Collector | pytest.Item) -> Checks:
    """The workflows to replay against, loaded once."""
    config = node.config
    if _CHECKS not in config.stash:
        from tracing.replay.checks import Checks  # noqa: PLC0415 - see above

        references = [*config.getini("replay_workflows"), *config.getoption("--replay-workflow")]
        if not references:
            raise pytest.Collector.CollectError(
                "--replay-histories needs to know today's code: give --replay-workflow module:Class, or set "
                "replay_workflows in pytest's configuration."
            )
        try:
            config.stash[_CHECKS] = Checks(
                references,
                data_converter=config.getini("replay_data_converter"),
                plugins=config.getini("replay_plugins"),
                skip_unknown=config.getoption("--replay-skip-unknown"),
            )
        except ValueError as error:
            raise pytest.Collector.CollectError(str(error)) from None
    return config.stash[_CHECKS]
