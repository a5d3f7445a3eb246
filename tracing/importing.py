"""Which object does ``module:name``, given by the user, mean?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType


def load_module(reference: str, *, what: str, example: str) -> tuple[ModuleType, str]:
    """Import the module of a reference, ``package.module:name``.

    The current folder is searched as well, as ``python -m`` does. Importing a module runs its code: references come
    from the user, never from data.

    Args:
        reference: The reference.
        what: What it should name, for messages: "workflow", "codec".
        example: A reference as it should be, for messages.

    Returns:
        The module, and the name in it.

    Raises:
        ValueError: The reference is not of that form, or there is no such module, or it cannot be imported.
    """
    module_name, _, name = reference.partition(":")
    if not module_name or not name or ":" in name:
        raise ValueError(f"{reference!r} names no {what}: write {example}.")
    return import_module(module_name, reference), name


def load_object(reference: str, *, what: str, example: str) -> object:
    """The object that a reference names, as `load_module` finds its module.

    Raises:
        ValueError: There is none.
    """
    module, name = load_module(reference, what=what, example=example)
    found = find(module, name)
    if found is None:
        raise ValueError(f"Module {module.__name__!r} has no {name!r}: check the spelling of {reference!r}.")
    return found


def import_module(module_name: str, reference: str) -> ModuleType:
    """Import a module by its name, as `load_module` does.

    Args:
        module_name: The module.
        reference: What the user gave, for messages.

    Raises:
        ValueError: There is no such module, or it cannot be imported.
    """
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            named = "" if error.name == reference else f", named in {reference!r}"
            raise ValueError(
                f"There is no module {error.name!r}{named}: check the spelling, or run in its folder."
            ) from None
        raise ValueError(f"Module {module_name!r} needs {error.name!r}, which is not installed.") from error
    except SystemExit as error:
        raise ValueError(
            f"Module {module_name!r} cannot be imported: it ends the process (sys.exit({error.code!r})). Let it do so "
            'below `if __name__ == "__main__":`.'
        ) from error
    except Exception as error:
        raise ValueError(f"Module {module_name!r} cannot be imported: {type(error).__name__}: {error}") from error


def find(module: ModuleType, name: str) -> object:
    """What ``name``, with dots where it is in a class, is in a module; None where it is nothing."""
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
