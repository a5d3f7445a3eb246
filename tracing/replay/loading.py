"""Which class does ``module:Class`` name?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def load_workflow(reference: str) -> type:
    """Load a workflow class by its name, ``package.module:Class``.

    The current folder is searched as well, as ``python -m`` does. Importing a module runs its code.

    Raises:
        ValueError: The reference is not of that form, or there is no such module, class or workflow.
    """
    module_name, _, class_name = reference.partition(":")
    if not module_name or not class_name or ":" in class_name:
        raise ValueError(f"{reference!r} names no workflow: write module:Class, such as agent.workflows:ResearchAgent.")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise ValueError(
                f"There is no module {error.name!r}, named in {reference!r}: check the spelling, or run in its folder."
            ) from None
        raise ValueError(f"Module {module_name!r} needs {error.name!r}, which is not installed.") from error
    except Exception as error:
        raise ValueError(f"Module {module_name!r} cannot be imported: {type(error).__name__}: {error}") from error
    workflow: object = module
    for name in class_name.split("."):
        workflow = getattr(workflow, name, None)
    if workflow is None:
        workflows = sorted(name for name, value in vars(module).items() if _is_workflow(value))
        raise ValueError(
            f"Module {module_name!r} has no {class_name!r}: its workflows are {', '.join(workflows) or 'none'}."
        )
    if not isinstance(workflow, type) or not _is_workflow(workflow):
        raise ValueError(f"{reference!r} is no workflow: its class has no @workflow.defn.")
    return workflow


def _is_workflow(value: object) -> bool:
    # What @workflow.defn leaves on the class itself; a subclass must be decorated too. The SDK has no public question.
    return isinstance(value, type) and "__temporal_workflow_definition" in vars(value)
