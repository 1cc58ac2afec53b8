"""Moving the subscribers of two tools, including everyone who unsubscribed, as described in docs/moving.md."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from tests.support.project import Project

MEMBERS = "Email Address|First Name|MEMBER_RATING|OPTIN_TIME|CONFIRM_TIME|CONFIRM_IP"
LEFT = "UNSUB_TIME|UNSUB_CAMPAIGN_TITLE|UNSUB_REASON"
REST = "LAST_CHANGED|LEID|EUID|NOTES|TAGS"


def member(number: int, *more: str, opted_in: bool = True) -> list[str]:
    when = ["2022-01-02 10:00:00", f"20{10 + number % 9}-03-04 10:00:00", "192.0.2.1"] if opted_in else ["", "", ""]
    rest = ["2024-01-01 00:00:00", str(number), f"e{number}", "", '"vip"']
    return [f"reader{number}@example.org", "Ann", "3", *when, *more, *rest]


def substack_row(number: int) -> list[str]:
    disabled = "true" if number % 10 == 3 else "false"
    return [f"reader{number}@example.org", "false", "other", disabled, "2023-05-02"]


def table(project: Project, name: str, columns: str, rows: Iterable[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([columns.split("|"), *rows])
    return str(project.write(name, out.getvalue()))


def numbers(out: str) -> dict[str, int]:
    """Return the first number of each line of a report, by the words that follow the number."""
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    found = {line[1]: line[0].replace(",", "") for line in lines if len(line) == 2 and ":" not in line[1]}
    return {words: int(number) for words, number in found.items() if number.isdigit()}


def test_the_output_lists_exactly_who_gets_email(project: Project) -> None:
    left = table(
        project,
        "unsubscribed_members_export.csv",
        f"{MEMBERS}|{LEFT}|{REST}",
        [member(n, "2024-06-01 10:00:00", "June", "NORMAL") for n in range(200, 230)],
    )
    cleaned = table(
        project,
        "cleaned_members_export.csv",
        f"{MEMBERS}|CLEAN_TIME|{REST}",
        [member(n, "2024-06-01 10:00:00") for n in range(230, 240)],
    )
    never = table(
        project,
        "nonsubscribed_members_export.csv",
        f"{MEMBERS}|{REST}",
        [member(n, opted_in=False) for n in range(240, 250)],
    )
    stay = table(project, "subscribed_members_export.csv", f"{MEMBERS}|{REST}", [member(n) for n in range(200)])
    substack = table(
        project,
        "substack.csv",
        "email|active_subscription|plan|email_disabled|created_at",
        # some are also subscribed at the other tool, or have unsubscribed there
        [substack_row(n) for n in range(190, 290)],
    )

    assert numbers(project.ok("subscribers", "import", left).out)["will be kept, and get no email"] == 30
    assert numbers(project.ok("subscribers", "import", cleaned).out)["bounced, lines 2 to 11"] == 10
    asked = project.run("subscribers", "import", never)
    assert (asked.code, "--as unconfirmed records that" in asked.err) == (1, True)
    project.ok("subscribers", "import", never, "--as", "unconfirmed")
    first = numbers(project.ok("subscribers", "import", stay, "--consent", "the form at Mailchimp").out)
    assert first["will get email"] == 200

    rehearsed = project.run("subscribers", "import", substack, "--dry-run")
    second = project.run("subscribers", "import", substack)
    said = numbers(second.out)
    assert second.code == 1
    assert said == {
        # of the 10 people in both, one unsubscribed at Substack; 9 only never confirmed at Mailchimp
        "will get email": 9 + 36 + 9,
        "will be kept, and get no email": 10,
        "unsubscribed, lines 5 to 95": 10,
        "refused, as listed above; they get no email": 27 + 9,
        "unsubscribed here": 27,
        "bounced here": 9,
    }
    assert second.err == rehearsed.err
    assert len(second.err.splitlines()) == 36
    mailed = {each["email"] for each in project.ok("subscribers", "list", "--status", "active", "--json").json}
    expected = {f"reader{n}@example.org" for n in (*range(200), *range(240, 290)) if n < 190 or n % 10 != 3}
    assert mailed == expected
    assert f"weekly now goes to {len(expected)} subscribers" in second.out

    undone = project.ok("subscribers", "import", "--undo", "5").out
    assert numbers(undone) == {
        "deleted, because the import had added them": 36 + 4,
        "as they were before the import": 9 + 3,  # each of these 3 had a different status before
    }
    assert "weekly now goes to 200 subscribers" in undone
    project.run("subscribers", "import", substack)

    project.ok("subscribers", "export", str(project.root / "all.csv"))
    again = project.ok("subscribers", "import", str(project.root / "all.csv"), "--dry-run").out
    assert numbers(again)["will get email".replace("will", "would")] == len(expected)
