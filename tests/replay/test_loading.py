from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.replay.workflows import Research
from tracing.replay import load_workflow, load_workflows

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = "tests.replay.workflows"


def test_a_class_of_a_module() -> None:
    assert load_workflow(f"{WORKFLOWS}:Research") is Research


def test_a_module_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agent_in_this_folder.py").write_text(
        "from temporalio import workflow\n\n\n"
        "@workflow.defn\nclass Agent:\n    @workflow.run\n    async def run(self) -> None: ...\n"
    )
    monkeypatch.setattr("sys.path", [str(path) for path in __import__("sys").path if path])
    monkeypatch.chdir(tmp_path)

    assert load_workflow("agent_in_this_folder:Agent").__name__ == "Agent"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("Research", "'Research' names no workflow: write module:Class"),
        (f"{WORKFLOWS}:", "names no workflow: write module:Class"),
        (f"{WORKFLOWS}:Research:run", "names no workflow: write module:Class"),
        ("tests.replay.missing:Research", "There is no module 'tests.replay.missing'"),
        ("nowhere.at.all:Research", "There is no module 'nowhere', named in 'nowhere.at.all:Research'"),
        (
            f"{WORKFLOWS}:Reserch",
            "has no 'Reserch': its workflows are Other, Research, ResearchByIdentity, ResearchThatRaises, ",
        ),
        (f"{WORKFLOWS}:NoWorkflow", "is no workflow: its class has no @workflow.defn"),
        (f"{WORKFLOWS}:Undecorated", "is no workflow: its class has no @workflow.defn"),
        (f"{WORKFLOWS}:SOON", "is no workflow: its class has no @workflow.defn"),
    ],
)
def test_what_names_no_workflow(reference: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace(".", r"\.")):
        load_workflow(reference)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import a_package_nobody_has", "needs 'a_package_nobody_has', which is not installed"),
        ("raise SystemExit(3)", r"cannot be imported: it ends the process \(sys\.exit\(3\)\)"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_fails(code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_agent.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ValueError, match=reason):
        load_workflow("broken_agent:Agent")


def test_a_module_of_which_all_workflows_are_meant_is_named_as_it_was_given() -> None:
    with pytest.raises(ValueError, match=r"^There is no module 'nowhere': check the spelling"):
        load_workflows("nowhere")
    with pytest.raises(ValueError, match=r"^'' names no workflow"):
        load_workflows("")
