"""A workflow of DBOS on PostgreSQL that is cancelled and resumed: no span comes twice, and both readers agree."""

from __future__ import annotations

import pytest
from dbos import DBOS, SetWorkflowID

from tests.dbos_live.conftest import assert_same, traced
from tests.dbos_live.test_resumed import Cancelled, runs, until
from tracing import conventions as c

pytestmark = pytest.mark.e2e


def test_each_part_of_its_run_is_sent_once(postgresql_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.dbos_live.process.BEGIN_SECONDS", 60.0)
    told = Cancelled(4)
    with traced(postgresql_database) as live:
        research = told.agent()
        live.launch()
        with SetWorkflowID("w"):
            DBOS.start_workflow(research, "tides")
        told.cancel("w")
        until(lambda: len(runs(live.spans("w"))) == 1)
        assert_same(live.spans("w"), live.exported("w"))
        assert DBOS.resume_workflow("w").get_result() == "tides!!!"
        spans = live.spans("w")  # none came twice
        assert_same(spans, live.exported("w"))
    told_by = [(span.attributes[c.RUN_STATUS], span.attributes.get(c.RESUMPTION)) for span in runs(spans)]
    assert told_by == [("canceled", None), ("completed", 1)]
