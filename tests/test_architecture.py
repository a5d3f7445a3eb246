"""The rules of docs/architecture.md, held."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A part may import the parts to its right, never those to its left.
LAYERS = {
    "cli": {
        "fleet",
        "export",
        "report",
        "replay",
        "tables",
        "cost",
        "tracefile",
        "decoding",
        "backends",
        "history",
        "live",
        "dbos",
        "spans",
        "core",
    },
    "dbos_live": {"dbos", "live", "recognisers", "spans", "core"},
    "fleet": {"export", "tables", "cost", "tracefile", "decoding", "history", "spans", "core"},
    "export": {"tracefile", "decoding", "backends", "history", "dbos", "recognisers", "spans", "core"},
    "report": {"cost", "replay", "history", "tracefile", "spans", "core"},
    "tables": {"cost", "tracefile", "spans", "core"},
    "replay": {"cost", "tracefile", "decoding", "backends", "history", "spans", "core"},
    "cost": {"history", "tracefile", "spans", "core"},
    "tracefile": {"backends", "history", "spans", "core"},
    "backends": {"spans", "core"},
    "pytest_plugin": {"replay", "core"},
    "testing": {"live", "spans", "core"},
    "decoding": {"backends", "history", "spans", "core"},
    "history": {"recognisers", "spans", "core"},
    "live": {"recognisers", "backends", "spans", "core"},
    "dbos": {"recognisers", "spans", "core"},
    "recognisers": {"spans", "core"},
    "spans": {"core"},
    # The modules of `tracing` itself and the span model stand below the builders.
    "core": {"spans.model"},
}


def _modules(package: str) -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _part(module: str) -> str:
    if module.startswith("tracing.spans.model"):
        return "spans.model"
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in LAYERS else "core"


@pytest.mark.parametrize("module", [name for name in _modules("tracing") if name != "tracing"])
def test_imports_go_one_way(module: str) -> None:
    modules = _modules("tracing")
    own = _part(module)
    for imported in _imports(modules[module]):
        if imported not in modules or imported == "tracing":
            continue
        part = _part(imported)
        if part in {own, "spans.model"} or own == "spans.model":
            continue
        assert part in LAYERS[own], f"{module} ({own}) imports {imported} ({part})"


def test_no_import_cycles() -> None:
    modules = _modules("tracing")
    graph = {name: {i for i in _imports(path) if i in modules and i != name} for name, path in modules.items()}
    del graph["tracing"]  # loads its names lazily, when they are used
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"import cycle: {' → '.join((*way, name))}"
        if name in done or name not in graph:
            return
        for imported in graph[name]:
            visit(imported, (*way, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_the_agent_uses_only_the_public_api() -> None:
    parts = ("history", "dbos", "tracefile", "cost", "tables", "replay", "report", "backends", "testing", "conventions")
    public = {"tracing", *(f"tracing.{part}" for part in parts)}
    for name, path in _modules("agent").items():
        private = {
            i for i in _imports(path) if i.split(".")[0] == "tracing" and ".".join(i.split(".")[:2]) not in public
        }
        names = {i.removeprefix("tracing.") for i in private}
        assert names <= set(_public_names()), f"{name} imports {sorted(private)}"


def _public_names() -> list[str]:
    for node in ast.parse((ROOT / "tracing" / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names = ast.literal_eval(node.value)
            assert isinstance(names, list)
            return names
    raise AssertionError("tracing/__init__.py has no __all__")


def test_attribute_keys_are_spelled_only_in_conventions() -> None:
    key = re.compile(
        r"[\"'](?:gen_ai|temporal|durable|langfuse|openinference|llm|session|exception|error)\.[a-z_.]+[\"']"
    )
    spelled = {
        f"{name}: {match}"
        for package in ("tracing", "agent")
        for name, path in _modules(package).items()
        if not name.startswith("tracing.conventions")
        for match in key.findall(path.read_text())
        if not match.strip("\"'").endswith((".yaml", ".db", ".log"))  # file names
    }
    assert spelled == set()


def test_modules_hold_one_concept() -> None:
    long = {
        name: lines
        for package in ("tracing", "agent")
        for name, path in _modules(package).items()
        if (lines := len(path.read_text().splitlines())) > 300
        and not name.startswith("tracing.conventions.")  # tables of names
    }
    assert long == {}
