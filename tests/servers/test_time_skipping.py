"""Where Temporal's test server comes from. A script stands in for Maven: the failure table runs the real server."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from agent.servers.locate import ServerNotFoundError
from agent.servers.progress import Progress
from agent.servers.time_skipping import find_time_skipping

if TYPE_CHECKING:
    from pathlib import Path

JAVA_AND_MAVEN = (
    "install Java 17 or newer and Maven, so that PATH has `java` and `mvn`, and let Maven get it (15 seconds, once)."
)
NAME = "temporal-test-server-1.30.1"

# "Gets" one jar, into the folder that it is told.
MAVEN = """#!/bin/sh
for argument; do
    case "$argument" in -DoutputDirectory=*) jars="${argument#*=}";; esac
done
mkdir -p "$jars" && cp pom.xml "$jars/server.jar"
"""
# Says how it was called.
JAVA = """#!/bin/sh
echo "$@"
"""


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("agent.servers.time_skipping._download", lambda *_: None)  # not in a unit test
    return {"PATH": f"{tmp_path}/path:/usr/bin:/bin", "DURABLE_TRACE_CACHE_DIR": str(tmp_path / "cache")}


def test_a_program_on_the_path_comes_first(tmp_path: Path, environ: dict[str, str]) -> None:
    program(tmp_path / "path", "temporal-test-server", "#!/bin/sh\n")

    found = find_time_skipping(environ, quick=True)
    assert (found.path, found.source) == (tmp_path / "path/temporal-test-server", "PATH")


def test_maven_gets_its_jars_once_and_java_runs_them(tmp_path: Path, environ: dict[str, str]) -> None:
    program(tmp_path / "path", "mvn", MAVEN)
    program(tmp_path / "path", "java", JAVA)

    progress = Progress(io.StringIO())
    sources = [find_time_skipping(environ, progress=progress).source for _ in range(2)]
    assert sources == ["Maven", "cache"]
    [jar] = (tmp_path / "cache/jars" / NAME).iterdir()
    assert "<artifactId>temporal-test-server</artifactId><version>1.30.1</version>" in jar.read_text()
    assert (tmp_path / "cache/bin" / NAME).read_text() == (
        f'#!/bin/sh\nexec java -cp "$(dirname "$0")/../jars/{NAME}/*" io.temporal.testserver.TestServer "$@"\n'
    )


def test_without_any_way_it_says_how_to_mend_it(tmp_path: Path, environ: dict[str, str]) -> None:
    nothing = {**environ, "PATH": str(tmp_path)}

    with pytest.raises(ServerNotFoundError) as error:
        find_time_skipping(nothing, progress=Progress(io.StringIO()))
    assert str(error.value).splitlines() == [
        "No Temporal test server was found. Tried:",
        "  - PATH: not there",
        "  - cache: not there",
        "  - the SDK's download: not there",
        "  - Maven: there is no Maven or no Java on PATH",
        "Any one of these mends it:",
        "  1. install Temporal's test server, so that PATH has `temporal-test-server`;",
        f"  2. {JAVA_AND_MAVEN}",
    ]
