"""Where servers' programs are looked for. The programs here are small scripts in folders of the test's own."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest

from agent.servers.__main__ import _FINDERS, main
from agent.servers.cache import Cache, project_file
from agent.servers.collector import collector_program, find_collector
from agent.servers.locate import Address, Program, ServerNotFoundError, Source, SourceError, in_cache, locate, on_path
from agent.servers.phoenix import Phoenix, find_phoenix, start_phoenix
from agent.servers.temporal import TemporalServer, find_temporal, start_temporal


def script(path: Path, text: str = "exit 0") -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is nothing yet: PATH and the cache are folders that can be filled."""
    return {"PATH": str(tmp_path / "path"), "DURABLE_TRACE_CACHE_DIR": str(tmp_path / "cache")}


class TestOrder:
    def test_the_first_source_that_has_it_wins(self, tmp_path: Path, environ: dict[str, str]) -> None:
        cache = Cache.from_environment(environ)
        sources = [
            on_path(["temporal"], environ),
            in_cache(["temporal-1.5.1"], cache),
            Source("a build with Go", lambda: Path("built"), slow=True),
        ]
        assert locate("Temporal", sources, []) == Program(Path("built"), "a build with Go")
        cached = script(tmp_path / "cache/bin/temporal-1.5.1")
        assert locate("Temporal", sources, []) == Program(cached, "cache")
        on_the_path = script(tmp_path / "path/temporal")
        assert locate("Temporal", sources, []) == Program(on_the_path, "PATH")

    def test_a_source_that_fails_is_passed_over(self) -> None:
        def refuse() -> Path:
            raise SourceError("no network")

        sources = [Source("the SDK's download", refuse), Source("a build with Go", lambda: Path("built"))]
        assert locate("Temporal", sources, []) == Program(Path("built"), "a build with Go")

    def test_slow_ways_are_left_out_when_it_must_be_quick(self) -> None:
        def never() -> Path:
            raise AssertionError

        with pytest.raises(ServerNotFoundError, match="a build with Go: not tried yet"):
            locate("Temporal", [Source("a build with Go", never, slow=True)], [], quick=True)

    def test_a_file_in_the_cache_that_cannot_be_run_is_not_a_program(
        self, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        script(tmp_path / "cache/bin/temporal-1.5.1").chmod(0o644)
        assert in_cache(["temporal-1.5.1"], Cache.from_environment(environ)).find() is None


def test_when_nothing_works_the_message_says_what_was_tried_and_three_ways_to_mend_it(environ: dict[str, str]) -> None:
    with pytest.raises(ServerNotFoundError) as raised:
        find_collector(environ)
    assert str(raised.value) == (
        "No OpenTelemetry Collector was found. Tried:\n"
        "  - PATH: not there\n"
        "  - cache: not there\n"
        "  - a build with Go: there is no Go on PATH\n"
        "Any one of these mends it:\n"
        "  1. start a Collector (`docker compose up -d collector`) and set OTEL_EXPORTER_OTLP_ENDPOINT to its "
        "http://host:4318;\n"
        "  2. install the Collector's contrib distribution, so that PATH has `otelcol-contrib`;\n"
        "  3. install Go 1.25 or newer, so that PATH has `go`, and let it build the Collector (4 to 10 minutes, once)."
    )


class TestTemporal:
    def test_an_address_in_the_environment_is_used(self, tmp_path: Path, environ: dict[str, str]) -> None:
        script(tmp_path / "path/temporal")
        given = {**environ, "TEMPORAL_ADDRESS": "temporal.example:7233"}
        assert find_temporal(given) == Address("temporal.example:7233", "TEMPORAL_ADDRESS")

    def test_an_empty_address_is_none(self, tmp_path: Path, environ: dict[str, str]) -> None:
        program = script(tmp_path / "path/temporal")
        assert find_temporal({**environ, "TEMPORAL_ADDRESS": ""}) == Program(program, "PATH")

    def test_nothing_is_started_beside_a_server_that_runs(self, tmp_path: Path, environ: dict[str, str]) -> None:
        with start_temporal(tmp_path / "files", environ={**environ, "TEMPORAL_ADDRESS": "temporal:7233"}) as server:
            assert server == TemporalServer("temporal:7233", process=None)
        assert not (tmp_path / "files").exists()

    def test_what_the_sdk_downloaded_is_found_in_the_cache(self, tmp_path: Path, environ: dict[str, str]) -> None:
        downloaded = script(tmp_path / f"cache/bin/temporal-sdk-{version('temporalio')}")
        assert find_temporal(environ) == Program(downloaded, "cache")

    def test_the_download_comes_before_the_build(self, environ: dict[str, str]) -> None:
        with pytest.raises(ServerNotFoundError) as raised:
            find_temporal(environ, quick=True)
        assert str(raised.value).splitlines()[:5] == [
            "No Temporal dev server was found. Tried:",
            "  - PATH: not there",
            "  - cache: not there",
            "  - the SDK's download: not tried yet",
            "  - a build with Go: not tried yet",
        ]


class TestCollector:
    @pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
    def test_an_endpoint_in_the_environment_is_used(self, variable: str, environ: dict[str, str]) -> None:
        assert find_collector({**environ, variable: "http://otel:4318"}) == Address("http://otel:4318", variable)

    def test_a_contrib_collector_on_path_is_used(self, tmp_path: Path, environ: dict[str, str]) -> None:
        program = script(tmp_path / "path/otelcol-contrib")
        assert collector_program(environ) == Program(program, "PATH")

    def test_a_collector_on_path_that_refuses_the_configuration_is_passed_over(
        self, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        program = script(tmp_path / "path/otelcol-contrib", 'echo "unknown type: file_storage" >&2; exit 1')
        with pytest.raises(ServerNotFoundError) as raised:
            collector_program(environ, quick=True)
        refused = f"  - PATH: {program} refuses collector/base.yaml: unknown type: file_storage"
        assert str(raised.value).splitlines()[1] == refused


class TestPhoenix:
    @pytest.fixture(autouse=True)
    def _not_beside_this_python(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("agent.servers.phoenix._beside_this_python", lambda: None)

    def test_an_address_in_the_environment_is_used(self, environ: dict[str, str]) -> None:
        given = {**environ, "PHOENIX_COLLECTOR_ENDPOINT": "http://phoenix:6006"}
        assert find_phoenix(given) == Address("http://phoenix:6006", "PHOENIX_COLLECTOR_ENDPOINT")

    def test_nothing_is_started_beside_a_server_that_runs(self, tmp_path: Path, environ: dict[str, str]) -> None:
        given = {**environ, "PHOENIX_COLLECTOR_ENDPOINT": "http://phoenix:6006/"}
        with start_phoenix(tmp_path / "files", environ=given) as server:
            assert server == Phoenix("http://phoenix:6006", process=None)
        assert not (tmp_path / "files").exists()

    def test_a_phoenix_on_path_is_used(self, tmp_path: Path, environ: dict[str, str]) -> None:
        program = script(tmp_path / "path/phoenix", 'echo "usage: phoenix serve [-h]"')
        assert find_phoenix(environ) == Program(program, "PATH")

    def test_another_program_of_that_name_is_passed_over(self, tmp_path: Path, environ: dict[str, str]) -> None:
        program = script(tmp_path / "path/phoenix", 'echo "usage: phoenix new PATH"')
        with pytest.raises(ServerNotFoundError) as raised:
            find_phoenix(environ, quick=True)
        other = f"  - PATH: {program} is another program: it does not know `phoenix serve`"
        assert str(raised.value).splitlines()[2] == other

    def test_an_environment_that_was_not_finished_is_not_used(self, tmp_path: Path, environ: dict[str, str]) -> None:
        digest = hashlib.sha256(project_file("requirements/phoenix.txt").read_bytes()).hexdigest()
        folder = tmp_path / "cache/phoenix" / digest[:8]
        script(folder / "bin/phoenix")
        with pytest.raises(ServerNotFoundError, match="cache: not there"):
            find_phoenix(environ, quick=True)
        (folder / ".whole").touch()
        assert find_phoenix(environ) == Program(folder / "bin/phoenix", "cache")


class TestCommand:
    """`python -m agent.servers`."""

    @pytest.fixture(autouse=True)
    def _only_this(self, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("TEMPORAL_ADDRESS", "PHOENIX_COLLECTOR_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"}.items():
            monkeypatch.setenv(name, value)

    def test_it_says_where_each_server_is(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        program = script(tmp_path / "path/temporal")
        assert main(["temporal", "collector"]) == 0
        assert capsys.readouterr().out == (
            f"temporal      is at {program} (PATH)\n"
            "collector     runs at http://otel:4318 (OTEL_EXPORTER_OTLP_ENDPOINT)\n"
        )

    def test_one_that_is_missing_is_named_and_the_others_are_looked_for(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["temporal", "collector", "--check"]) == 1
        said = capsys.readouterr()
        assert said.err.startswith("No Temporal dev server was found.")
        assert said.out == "collector     runs at http://otel:4318 (OTEL_EXPORTER_OTLP_ENDPOINT)\n"

    def test_one_that_few_tests_need_may_be_missing_unless_it_is_asked_for(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("agent.servers.postgresql._DEBIAN", Path("/nowhere"))
        others = {name: lambda **_: Address("here", "SERVER") for name in _FINDERS if name != "postgresql"}
        monkeypatch.setattr("agent.servers.__main__._FINDERS", {**_FINDERS, **others})

        assert main(["all"]) == 0
        assert "No PostgreSQL was found." in capsys.readouterr().err
        assert main(["postgresql"]) == 1

    def test_an_unknown_server_is_a_usage_error(self) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["mysql"])
