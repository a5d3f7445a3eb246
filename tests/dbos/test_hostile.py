"""Databases that are damaged, of another version, or made to harm their reader."""

from __future__ import annotations

import base64
import os
import pickle
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbos.conftest import MS, PORTABLE, Made, answer, converted
from tracing import conventions as c
from tracing import dbos
from tracing.dbos import DatabaseError, Reader, connect


class _Payload:
    """A pickle that makes a folder where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_a_pickle_that_would_run_does_not(made: Made, tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    harmful = base64.b64encode(pickle.dumps(_Payload(trap))).decode()
    made.workflow("work", output=harmful, error=harmful, inputs=harmful, serialization="py_pickle")
    for number, serialization in enumerate(("py_pickle", None, "custom_serializer", PORTABLE), 1):
        made.step("work", number, output=harmful, error=harmful, serialization=serialization)

    found = converted(made.url, "work", content=True)

    assert not trap.exists()
    # As portable JSON it is broken JSON, which is shown as such.
    assert found.undecoded == 3 + 2 * 3
    assert found.spans[0].attributes[c.ERROR_TYPE] == "_OTHER"
    pickle.loads(base64.b64decode(harmful))
    assert trap.exists()


def test_no_module_of_the_reader_imports_what_could_load_a_pickle() -> None:
    sources = sorted(Path(dbos.__file__).parent.glob("*.py"))
    assert len(sources) > 5
    for source in sources:
        imported = re.findall(r"^\s*(?:from|import) (\w+)", source.read_text(encoding="utf-8"), re.MULTILINE)
        assert not {"pickle", "dill", "marshal", "shelve", "dbos", "sqlalchemy"} & set(imported)


ANYTHING = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(["work", "child", "DBOS.sleep", "DBOS.getResult", PORTABLE, "py_pickle", answer(), "{", "[[[["]),
)
STATUS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "status",
            "name",
            "created_at",
            "updated_at",
            "completed_at",
            "forked_from",
            "parent_workflow_id",
            "queue_name",
            "executor_id",
            "application_version",
            "application_name",
            "recovery_attempts",
            "serialization",
            "inputs",
            "output",
            "error",
        ),
        ANYTHING,
    ),
)
STEP = st.fixed_dictionaries(
    {"function_id": st.one_of(st.integers(1, 3), ANYTHING)},
    optional=dict.fromkeys(
        (
            "function_name",
            "output",
            "error",
            "child_workflow_id",
            "started_at_epoch_ms",
            "completed_at_epoch_ms",
            "serialization",
        ),
        ANYTHING,
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=STATUS, steps=st.lists(STEP, max_size=4))
def test_whatever_stands_in_rows_there_is_a_trace(
    tmp_path_factory: pytest.TempPathFactory, status: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    made = Made(tmp_path_factory.mktemp("made") / "made.sqlite")
    made.workflow("work", **status)
    for step in steps:
        made.step("work", **step)
    made.close()

    spans = converted(made.url, "work", content=True).spans

    assert spans[0].name.startswith("RunWorkflow:")
    assert all(span.end is None or span.end >= span.start >= 0 for span in spans)
    assert len({span.span_id for span in spans}) == len(spans)


def test_rows_that_say_nothing_are_named(made: Made) -> None:
    made.workflow("work", status="EXPLODED", created_at="yesterday", completed_at=None)
    made.step("work", "first")
    made.step("work", 2, started_at_epoch_ms=None, completed_at_epoch_ms=b"\xff")
    found = converted(made.url, "work")
    assert found.spans[0].attributes[c.DEFECTS] == (
        "Its status 'EXPLODED' is none that is known: it is shown as running.",
        "No time says when it was created: it begins with its first step.",
        "1 rows of its steps have no number: they are left out.",
        "Steps without a time are shown at the start of the run: 2.",
    )


def test_parents_in_a_circle_end(made: Made) -> None:
    made.workflow("a", parent_workflow_id="b", forked_from="b")
    made.workflow("b", parent_workflow_id="a", forked_from="a")
    assert {converted(made.url, name).spans[0].name for name in ("a", "b")} == {"RunWorkflow:work"}


def test_text_that_is_none_is_shown_as_far_as_it_goes(made: Made) -> None:
    made.sql(
        "INSERT INTO workflow_status (workflow_uuid, status, name) VALUES ('work', 'SUCCESS', CAST(x'61ff62' AS TEXT))"
    )
    assert converted(made.url, "work").spans[0].name == "RunWorkflow:a\N{REPLACEMENT CHARACTER}b"


def test_a_value_of_many_megabytes_is_not_read(made: Made) -> None:
    made.workflow("work")
    made.sql(
        "INSERT INTO operation_outputs (workflow_uuid, function_id, function_name, output, serialization) "
        "VALUES ('work', 1, 'big', printf('%17000000d', 1), 'portable_json')"
    )
    assert converted(made.url, "work").undecoded == 1


def test_older_databases_lack_columns(made: Made) -> None:
    made.sql(
        "DROP TABLE workflow_status; DROP TABLE operation_outputs;"
        "CREATE TABLE workflow_status (workflow_uuid, status, name);"
        "CREATE TABLE operation_outputs (workflow_uuid, function_id, function_name);"
        "INSERT INTO workflow_status VALUES ('work', 'PENDING', 'work');"
        "INSERT INTO operation_outputs VALUES ('work', 1, 'ask');"
    )
    found = converted(made.url, "work")
    assert [span.name for span in found.spans] == ["RunWorkflow:work", "StartActivity:ask", "RunActivity:ask"]
    assert found.is_open


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("", "its table workflow_status is missing."),
        ("CREATE TABLE workflow_status (name);", "its table workflow_status lacks workflow_uuid, status."),
        (
            "CREATE TABLE workflow_status (workflow_uuid, status, name);",
            "its table operation_outputs is missing.",
        ),
        (
            # A view could compute without end.
            "CREATE VIEW workflow_status AS SELECT 1 AS workflow_uuid, 'PENDING' AS status, 'x' AS name;",
            "its table workflow_status is missing.",
        ),
    ],
)
def test_another_database_is_refused(made: Made, tables: str, said: str) -> None:
    made.sql(f"DROP TABLE workflow_status; DROP TABLE operation_outputs; {tables}")
    with connect(made.url) as database, pytest.raises(DatabaseError) as refused:
        Reader(database)
    assert str(refused.value) == f"{made.url} is no system database of DBOS: {said}"


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database\n" * 100)
    with pytest.raises(DatabaseError, match="is it a SQLite database"), connect(f"sqlite:///{path}"):
        pass
    with pytest.raises(DatabaseError, match="is no file"), connect(f"sqlite:///{tmp_path / 'nowhere'}"):
        pass
    with pytest.raises(DatabaseError, match="begins with sqlite:/// or postgresql://"), connect("mysql://db"):
        pass


def test_a_damaged_page_is_named(made: Made) -> None:
    for number in range(400):
        made.workflow("work" if not number else f"work-{number}", inputs="x" * 200)
    made.close()
    data = bytearray(made.path.read_bytes())
    data[3 * 4096 :] = b"\xff" * (len(data) - 3 * 4096)
    made.path.write_bytes(bytes(data))
    with pytest.raises(DatabaseError, match="cannot be read"), connect(made.url) as database:
        Reader(database).workflow_ids()


def test_whoever_reads_keeps_nobody_from_writing(made: Made) -> None:
    made.workflow("work")
    made.step("work", 1)
    agent = sqlite3.connect(made.path, timeout=0)
    with connect(made.url) as database:
        reader = Reader(database)
        assert reader.workflow_ids() == ["work"]
        agent.execute("UPDATE workflow_status SET status = 'PENDING'")
        agent.commit()
        steps, _ = reader.steps("work")
        agent.execute("DELETE FROM operation_outputs")
        agent.commit()
        assert (len(steps), reader.steps("work")) == (1, ([], 0))
    agent.close()


def test_only_the_steps_that_are_asked_for_are_read_however_many_they_are(made: Made) -> None:
    made.workflow("work")
    rows = ", ".join(f"('work', {number}, 'ask')" for number in range(1, 1_203))
    made.sql(f"INSERT INTO operation_outputs (workflow_uuid, function_id, function_name) VALUES {rows}")
    with connect(made.url) as database:
        reader = Reader(database)
        few, _ = reader.steps("work", numbers={1_202, 7, 4_000})
        many, _ = reader.steps("work", numbers=range(2, 1_203))
        none, _ = reader.steps("work", numbers=())
    assert [step.function_id for step in few] == [7, 1_202]
    assert [step.function_id for step in many] == list(range(2, 1_203))
    assert none == []


def test_nothing_is_written(made: Made) -> None:
    made.workflow("work")
    with connect(made.url) as database, pytest.raises(DatabaseError, match="readonly database"):
        database.rows("DELETE FROM workflow_status RETURNING 1")
    with closing(sqlite3.connect(made.path)) as written:
        assert written.execute("SELECT count(*) FROM workflow_status").fetchone() == (1,)


def test_times_are_widened_by_the_steps_of_the_run_itself(made: Made) -> None:
    made.workflow("work", completed_at=MS)
    made.step("work", 1, started_at_epoch_ms=MS - 3, completed_at_epoch_ms=MS + 900)
    run = converted(made.url, "work").spans[0]
    assert (run.start, run.end) == ((MS - 3) * 1_000_000, (MS + 900) * 1_000_000)
