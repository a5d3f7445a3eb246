"""``python -m dashboards``: write all dashboards as Grafana reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.durability import durability
from dashboards.health import health
from dashboards.latency import latency
from dashboards.overview import overview

FOLDER: Final = Path(__file__).parent / "grafana" / "dashboards"
DASHBOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    "overview": overview,
    "durability": durability,
    "latency": latency,
    "health": health,
}


def written(dashboard: Dashboard) -> str:
    """A dashboard's JSON."""
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(dashboard) + "\n"


def main() -> None:
    """Write one file for each."""
    for name, build in DASHBOARDS.items():
        (FOLDER / f"{name}.json").write_text(written(build()), encoding="utf-8")


if __name__ == "__main__":
    main()
