"""Programs are made once and whole, whoever else makes them and whoever is killed."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from agent.servers.cache import Cache, project_file
from agent.servers.progress import Progress

# Gets a program that takes long to make: it is "made" when the test creates a file. Counts the makers.
GETTER = """
import io, sys, time
from pathlib import Path
from agent.servers.cache import Cache
from agent.servers.progress import Progress
folder, go_on, counter = map(Path, sys.argv[1:])
def make(work):
    with counter.open("a") as file:
        file.write("made\\n")
    program = work / "program"
    program.write_text("half")
    print("making", flush=True)
    while not go_on.exists():
        time.sleep(0.01)
    program.write_text("whole")
    program.chmod(0o755)
    return program
print(Cache(folder).get("tool", make, Progress(io.StringIO())).read_text(), flush=True)
"""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def make_tool(work: Path) -> Path:
    program = work / "program"
    program.write_text("made here")
    program.chmod(0o755)
    return program


def silent() -> Progress:
    return Progress(StringIO())


def getter(tmp_path: Path) -> subprocess.Popen[str]:
    arguments = [str(tmp_path / "cache"), str(tmp_path / "go-on"), str(tmp_path / "counter")]
    return subprocess.Popen([sys.executable, "-c", GETTER, *arguments], stdout=subprocess.PIPE, text=True)


def files(cache: Cache) -> list[str]:
    """What is in the cache, but for its locks."""
    found = (path.relative_to(cache.folder) for path in cache.folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.suffix != ".lock")


def test_it_is_made_where_it_is_missing_and_used_again(cache: Cache) -> None:
    def never(work: Path) -> Path:
        raise AssertionError(work)

    assert cache.program("tool") is None
    made = cache.get("tool", make_tool, silent())
    assert made == cache.folder / "bin/tool"
    assert cache.get("tool", never, silent()) == made
    assert cache.program("tool") == made
    assert files(cache) == ["bin/tool"]


def test_a_maker_that_fails_leaves_nothing(cache: Cache) -> None:
    def fail(work: Path) -> Path:
        make_tool(work)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.get("tool", fail, silent())
    assert files(cache) == []


def test_two_processes_make_it_once(cache: Cache, tmp_path: Path) -> None:
    with getter(tmp_path) as first, getter(tmp_path) as second:
        (tmp_path / "go-on").touch()
        said = sorted([first.communicate()[0], second.communicate()[0]])
    assert said == ["making\nwhole\n", "whole\n"]
    assert (tmp_path / "counter").read_text() == "made\n"
    assert files(cache) == ["bin/tool"]


def test_after_a_maker_was_killed_the_next_one_starts_afresh(cache: Cache, tmp_path: Path) -> None:
    with getter(tmp_path) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "making\n"
        killed.kill()
    assert files(cache) == ["work/tool/program"]
    assert cache.program("tool") is None
    assert cache.get("tool", make_tool, silent()).read_text() == "made here"
    assert files(cache) == ["bin/tool"]


def test_who_waits_for_another_process_says_so(cache: Cache, tmp_path: Path) -> None:
    class GoOnWhenWaiting(StringIO):
        def write(self, text: str) -> int:
            (tmp_path / "go-on").touch()
            return super().write(text)

    said = GoOnWhenWaiting()
    with getter(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "making\n"
        assert cache.get("tool", make_tool, Progress(said)).read_text() == "whole"
    assert said.getvalue().splitlines()[0] == "Another process is getting tool; waiting for it …"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"DURABLE_TRACE_CACHE_DIR": "/somewhere"}, Path("/somewhere")),
        ({}, project_file("pyproject.toml").parent / ".cache"),
    ],
    ids=["chosen", "of the checkout"],
)
def test_where_the_cache_is(environ: dict[str, str], folder: Path) -> None:
    assert Cache.from_environment(environ).folder == folder
