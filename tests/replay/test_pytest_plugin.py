"""Recorded runs as tests, in test runs of their own: the SDK does not end well in a process that goes on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "tests" / "replay" / "recorded" / "shop.history.json"
RUN = "shop-1_01a226c9-884f-7c7e-9c45-6c8a2d6bf28b"
CHANGED = """
from temporalio import workflow
from tests.replay.shop import SOON, Steps

@workflow.defn(name="Shop")
class ChangedShop(Steps):
    async def reserve(self) -> None:
        await workflow.execute_activity("book", "order-1", start_to_close_timeout=SOON)

    @workflow.run
    async def run(self) -> str:
        return await self.all()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a folder of histories, a test of its own and changed workflow code."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(pytester.path)]))
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(test_of_its_own="async def test_it(): ...", changed_shop=CHANGED)
    histories = pytester.mkdir("histories")
    shutil.copy(SHOP, histories)
    return pytester


def _run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "tracing.pytest_plugin", "-p", "no:cacheprovider", *arguments)


@pytest.mark.slow
def test_without_the_option_nothing_of_it_is_imported(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_of_its_own="""
        import sys

        def test_it():
            assert not [name for name in sys.modules if name.startswith(("temporalio", "tracing.replay"))]
        """
    )

    # Plugins of other packages are left out: some of them import Temporal's SDK.
    result = _run(project, "-p", "no:langsmith_plugin", "-v", "test_of_its_own.py")

    result.assert_outcomes(passed=1)


@pytest.mark.slow
class TestReplays:
    def test_a_history_that_is_reproduced_beside_tests_of_ones_own(self, project: pytest.Pytester) -> None:
        result = _run(
            project, "-v", "--replay-histories", "histories", "--replay-workflow", "tests.replay.shop:Shop", "."
        )

        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines(
            [f"histories/shop.history.json::{RUN} PASSED*", "test_of_its_own.py::test_it PASSED*"]
        )
        assert result.ret == 0

    def test_json_of_another_kind_beside_histories_is_skipped(self, project: pytest.Pytester) -> None:
        (project.path / "histories" / "compare.json").write_text('{"saved_usd": 1}')
        shop = ("--replay-workflow", "tests.replay.shop:Shop", "histories")

        _run(project, "--replay-histories", "histories", *shop).assert_outcomes(passed=1, skipped=1)
        _run(project, "--replay-histories", "histories/compare.json", *shop).assert_outcomes(failed=1)

    def test_changed_code_fails_exactly_that_history_and_says_where(self, project: pytest.Pytester) -> None:
        other = ROOT / "tests" / "replay" / "recorded" / "research.history.json"
        shutil.copy(other, project.path / "histories")
        project.makeini(
            "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
            "replay_workflows =\n    changed_shop\n    tests.replay.workflows:Research\n"
        )

        result = _run(project, "--replay-histories", "histories", "histories")

        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            [
                "*replay of shop-1_*",
                "Shop shop-1: diverged at event 9",
                "  expected: activity 'reserve' (ID 1)",
                "  actual:   activity 'book' (ID 1)",
                "  line:     changed_shop.py:* in ChangedShop.reserve",
                "  reason:   [[]TMPRL1100[]] Nondeterminism error: Activity type of scheduled event 'reserve' *",
            ]
        )
        assert "Traceback" not in result.stdout.str()
        assert result.ret == 1

    def test_histories_that_cannot_be_read_fail_and_others_go_on(self, project: pytest.Pytester) -> None:
        (project.path / "histories" / "broken.json").write_text('{"events": []}')

        result = _run(
            project, "--replay-histories", "histories", "--replay-workflow", "tests.replay.shop:Shop", "histories"
        )

        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(["*broken.json: It is a page without events, and nothing says of which *"])

    def test_a_history_in_several_page_files_is_one_test(self, project: pytest.Pytester) -> None:
        folder = project.mkdir("pages")
        events = json.loads(SHOP.read_text())["events"]
        for name, page, token in (("1", events[:20], "AAAA"), ("2", events[20:], "BBBB"), ("3", [], None)):
            (folder / f"page-{name}.json").write_text(json.dumps({"history": {"events": page}, "nextPageToken": token}))

        for named in ("pages", "pages/page-2.json"):
            result = _run(
                project, "-v", "--replay-histories", named, "--replay-workflow", "tests.replay.shop:Shop", named
            )
            result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"pages/page-2.json::{RUN} PASSED*"])

    def test_a_folder_without_histories_guards_nothing_and_does_not_pass(self, project: pytest.Pytester) -> None:
        folder = project.mkdir("nothing")

        result = _run(project, "--replay-histories", "nothing", "--replay-workflow", "tests.replay.shop:Shop", ".")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: --replay-histories: {folder}: No file in this folder ends in .json, *"])

    def test_other_workflow_types(self, project: pytest.Pytester) -> None:
        arguments = [
            "--replay-histories",
            "histories",
            "--replay-workflow",
            "tests.replay.workflows:Other",
            "histories",
        ]

        _run(project, *arguments).assert_outcomes(failed=1)
        _run(project, *arguments, "--replay-skip-unknown").assert_outcomes(skipped=1)

    def test_in_several_processes(self, project: pytest.Pytester) -> None:
        arguments = ["--replay-histories", "histories", "--replay-workflow", "tests.replay.shop:Shop", "."]

        result = _run(project, *arguments, "-n", "2")

        result.assert_outcomes(passed=2)
        assert result.ret == 0

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ([], "--replay-histories needs to know today's code: give --replay-workflow module:Class"),
            (["--replay-workflow", "nowhere:Shop"], "There is no module 'nowhere', named in 'nowhere:Shop'"),
        ],
    )
    def test_wrong_usage(self, project: pytest.Pytester, arguments: list[str], reason: str) -> None:
        result = _run(project, "--replay-histories", "histories", "histories", *arguments)

        result.stdout.fnmatch_lines([f"*{reason}*"])
        assert result.ret == pytest.ExitCode.INTERRUPTED
