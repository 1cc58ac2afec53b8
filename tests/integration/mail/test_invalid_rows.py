"""Invalid names and addresses that were written into the database by hand affect no one else."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.support.project import Project


def poison(project: Project, reader: str, column: str, value: str) -> None:
    """Write an SQL expression into a subscriber's row, like an import with SQL."""
    with closing(sqlite3.connect(project.root / ".publisher/publisher.db")) as connection:
        change = f"UPDATE subscribers SET {column} = {value} WHERE address = ?"
        assert connection.execute(change, (f"{reader}@example.org",)).rowcount == 1
        connection.commit()


def counts(project: Project) -> dict[str, int]:
    found: dict[str, int] = project.ok("deliveries", "list", "1", "--json").json["counts"]
    return found


@pytest.mark.parametrize("name", ["CAST(x'4af67267' AS TEXT)", "x'4af67267'", "CAST(x'eda080' AS TEXT)"])
def test_a_name_that_is_not_utf_8_is_still_sent(project: Project, name: str) -> None:
    project.subscribe("ada", "bob", "cy")
    poison(project, "bob", "name", name)
    project.ok("publish")
    assert counts(project) == {"sent": 3}
    (message,) = project.mail()["bob@example.org"]
    assert message["To"].addresses[0].addr_spec == "bob@example.org"


def test_a_name_that_is_not_utf_8_hides_no_other_row(project: Project) -> None:
    project.subscribe("ada", "bob", "cy")
    poison(project, "bob", "name", "CAST(x'4af67267' AS TEXT)")
    assert project.ok("subscribers", "list").out.count("@example.org") == 3
    assert project.ok("subscribers", "export").out.count("@example.org") == 3


def test_an_address_that_is_not_utf_8_fails_alone(project: Project) -> None:
    project.subscribe("ada", "bob", "cy")
    poison(project, "bob", "address", "CAST(x'62f662406578616d706c652e6f7267' AS TEXT)")
    assert project.run("publish").code == 1
    assert counts(project) == {"sent": 2, "failed": 1}
    assert "is not a valid email address" in project.ok("deliveries", "list", "1").out


@pytest.mark.parametrize(
    "address",
    ["a,b@example.org", "a@b,c@example.org", "a@example.org,b", "a;b@example.org", "(a)b@example.org", "@a", ""],
)
def test_a_double_address_fails_alone(project: Project, address: str) -> None:
    project.subscribe("ada", "bob", "cy")
    poison(project, "bob", "address", f"'{address}'")
    assert project.run("publish").code == 1
    assert counts(project) == {"sent": 2, "failed": 1}
    assert f"{address!r} is not a valid email address" in project.ok("deliveries", "list", "1").out
    assert sorted(project.mail()) == ["ada@example.org", "cy@example.org"]
