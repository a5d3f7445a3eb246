"""What does ``module:name`` mean: a workflow class, a data converter, a plugin?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from temporalio.converter import DataConverter
from temporalio.worker import Plugin

from tracing.importing import find, import_module, load_module, load_object

_EXAMPLE: Final = "module:Class, such as agent.workflows:ResearchAgent"
_DEFINITION: Final = "__temporal_workflow_definition"
"""What @workflow.defn leaves on the class itself; a subclass must be decorated too. The SDK has no public question."""


def load_workflow(reference: str) -> type:
    """Load a workflow class by its name, ``package.module:Class``.

    The current folder is searched as well, as ``python -m`` does. Importing a module runs its code.

    Raises:
        ValueError: The reference is not of that form, or there is no such module, class or workflow.
    """
    module, class_name = load_module(reference, what="workflow", example=_EXAMPLE)
    workflow = find(module, class_name)
    if workflow is None:
        workflows = sorted(name for name, value in vars(module).items() if _is_workflow(value))
        raise ValueError(
            f"Module {module.__name__!r} has no {class_name!r}: its workflows are {', '.join(workflows) or 'none'}."
        )
    if not isinstance(workflow, type) or not _is_workflow(workflow):
        raise ValueError(f"{reference!r} is no workflow: its class has no @workflow.defn.")
    return workflow


def load_workflows(*references: str) -> list[type]:
    """Load workflow classes, ``package.module:Class``, or all those that a module has: ``package.module``.

    Raises:
        ValueError: As with ``load_workflow``, or a module has none, or two classes have one workflow type.
    """
    found = list(dict.fromkeys(workflow for reference in references for workflow in _load(reference)))
    known: dict[str | None, type] = {}
    for workflow in found:
        other = known.setdefault(workflow_type_of(workflow), workflow)
        if other is not workflow:
            raise ValueError(
                f"{_name(other)} and {_name(workflow)} are both of workflow type {workflow_type_of(workflow)!r}: name "
                "one of them, by module:Class."
            )
    return found


def of_type(workflows: Sequence[type], workflow_type: str) -> type | None:
    """The class that runs a workflow type, if need be the one that takes every type; None where there is none."""
    by_type = {workflow_type_of(workflow): workflow for workflow in workflows}
    return by_type.get(workflow_type) or by_type.get(None)


def workflow_type_of(workflow: type) -> str | None:
    """Workflow type of a workflow class; None where it takes every type that no other class does."""
    definition = vars(workflow)[_DEFINITION]
    name: str | None = definition.name
    return name


def load_data_converter(reference: str) -> DataConverter:
    """Load a data converter, ``package.module:object``, or what a function of that name gives.

    Raises:
        ValueError: There is none.
    """
    found = _made(reference, "data converter", "module:object, such as shop.temporal:data_converter")
    if not isinstance(found, DataConverter):
        raise ValueError(f"{reference!r} is no DataConverter but {type(found).__name__}.")  # noqa: TRY004 - wrong usage
    return found


def load_plugin(reference: str) -> Plugin:
    """Load a plugin of a worker, ``package.module:object``, or what a class or function of that name gives.

    Raises:
        ValueError: There is none.
    """
    found = _made(reference, "plugin", "module:object, such as shop.temporal:plugin")
    if not isinstance(found, Plugin):
        raise ValueError(f"{reference!r} is no worker's plugin but {type(found).__name__}.")  # noqa: TRY004 - wrong usage
    return found


def _made(reference: str, what: str, example: str) -> object:
    found = load_object(reference, what=what, example=example)
    if not callable(found) or isinstance(found, (DataConverter, Plugin)):
        return found
    try:
        return found()
    except Exception as error:
        raise ValueError(f"{reference!r} cannot be made: {type(error).__name__}: {error}") from error


def _is_workflow(value: object) -> bool:
    return isinstance(value, type) and _DEFINITION in vars(value)


def _load(reference: str) -> list[type]:
    if ":" in reference:
        return [load_workflow(reference)]
    if not reference:
        raise ValueError(f"{reference!r} names no workflow: write {_EXAMPLE}.")
    module = import_module(reference, reference)
    found = [value for value in vars(module).values() if isinstance(value, type) and _is_workflow(value)]
    if not found:
        raise ValueError(f"Module {reference!r} has no workflow: no class in it has @workflow.defn.")
    return found


def _name(workflow: type) -> str:
    return f"{workflow.__module__}:{workflow.__qualname__}"
