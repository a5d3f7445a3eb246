"""Which workflow class does ``module:Class`` mean?"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import temporalio.workflow


class WorkflowReferenceError(ValueError):
    """The reference names no workflow class; the message says what was found instead."""


def load_workflow(reference: str) -> type:
    """Import a workflow class.

    Modules are found as Python finds them, and in the current folder.

    Args:
        reference: ``module:Class``, such as ``agent.research.workflow:ResearchAgentWorkflow``.

    Raises:
        WorkflowReferenceError: There is no such module or class, or it is no workflow.
    """
    module_name, colon, class_name = reference.partition(":")
    if not module_name or not colon or not class_name:
        raise WorkflowReferenceError(f"{reference!a} names no workflow: give it as module:Class.")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise WorkflowReferenceError(
            f"{module_name} cannot be imported ({error}): run the command in the folder or environment that has it."
        ) from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise WorkflowReferenceError(f"{module_name} has no class {class_name}.")
    if temporalio.workflow._Definition.from_class(found) is None:  # noqa: SLF001 - the SDK has no public question for it
        raise WorkflowReferenceError(f"{reference} is no workflow: it lacks @workflow.defn.")
    return found
