"""The command that evaluates scenarios: every row of the specification's table through it, and further ones of the
same kind, written from the text of the rule before the code was read."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.promises.check.command import check, main
from app.promises.check.scenarios import read
from app.promises.check.words import ScenarioFault

FILE = Path(__file__).with_name("scenarios.json")
SCENARIOS = json.loads(FILE.read_text())
FURTHER = json.loads(FILE.with_name("further.json").read_text())
ROWS = """1 2 4 5 7 8 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32 34 35 37 38 40 41 43 44 46 47 49 50 52 53 55 56 58
59 61 62 64 65 67 68 70 71 73 74 76 77 79 80 82 83 85 86 88 89 91 92"""
JUNE = {"T": "2026-06-10"}


def found(*scenarios):
    """What was found for the first line of each scenario, as the command prints it."""
    from app.promises.check.report import report

    return [report(scenario, findings) for scenario, findings, _ in check(list(scenarios))]


def group(scenario):
    return next(iter(found(scenario)[0]["lines"].values()))["groups"][0]


# --- Every row ---


@pytest.fixture(scope="module")
def results():
    return {scenario.id: wrong for scenario, _, wrong in check([*SCENARIOS, *FURTHER])}


@pytest.mark.parametrize("row", [one["id"] for one in [*SCENARIOS, *FURTHER]])
def test_the_row(results, row):
    assert results[row] == []


def test_every_row_of_the_table_is_there_with_its_expectations():
    assert {one["id"].split()[0] for one in SCENARIOS} == set(ROWS.split())
    assert all(one["expected"] for one in SCENARIOS)


def changed(value):
    """Every way in which one thing of the expectation is another."""
    if isinstance(value, dict):
        for key, one in value.items():
            for other in changed(one):
                yield {**value, key: other}
    elif isinstance(value, list) and value:
        for at, one in enumerate(value):
            for other in changed(one):
                yield [*value[:at], other, *value[at + 1 :]]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif value == "none" or value == []:
        yield [{}]
    elif isinstance(value, str) and value.replace(".", "").isdigit():
        yield f"1{value}"
    elif isinstance(value, str) and value[-1].isdigit():
        yield "1999-12-31" if value[0].isdigit() and "-" in value else f"{value}0"
    elif value is not None:
        yield "cancel" if value == "nothing" else "nothing"


def test_no_expectation_holds_whatever_was_found():
    """Each expectation of each row, changed, fails or cannot be read."""
    by_id = {one["id"]: one for one in SCENARIOS}
    tried = 0
    for one in [*SCENARIOS, *FURTHER]:
        chain = [one]
        while "as" in chain[0]:
            chain.insert(0, by_id[chain[0]["as"]])
        for expected in changed(one["expected"]):
            before = [{**model, "expected": None} for model in chain[:-1]]
            try:
                wrong = check([*before, {**one, "expected": expected}])[-1][2]
            except ScenarioFault:
                wrong = ["unreadable"]
            assert wrong, (one["id"], expected)
            tried += 1
    assert tried > 700


# --- The command ---


def test_the_command_runs_alone_without_flask_or_a_database():
    program = (
        "import sys; from app.promises.check.command import main; status = main([sys.argv[1]]);"
        " print(sorted({'flask', 'sqlalchemy', 'psycopg'} & sys.modules.keys())); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(FILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2:] == [
        f"{len(SCENARIOS)} scenarios, {len(SCENARIOS)} with expectations, 0 not as expected",
        "[]",
    ]


def test_a_failed_expectation_is_named_and_is_status_1(tmp_path, capsys):
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"given": JUNE, "expected": {"T": "2026-06-11", "case": "c5"}}))
    assert main([str(file)]) == 1
    assert "expected.T: expected 2026-06-11, found 2026-06-10" in capsys.readouterr().out
    assert main([str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)[0]
    assert told["as_expected"] is False
    assert told["differences"] == [{"path": "expected.T", "expected": "2026-06-11", "found": "2026-06-10"}]
    assert told["found"]["lines"]["1"]["groups"][0]["case"] == "c5"


def test_without_an_expectation_it_prints_what_it_found(tmp_path, capsys):
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"given": JUNE, "events": [{"cancel": "2026-06-01"}]}))
    assert main([str(file)]) == 0
    out = capsys.readouterr().out
    assert '"T": "2026-06-10"' in out
    assert '"outcome": "no_option"' in out


UNREADABLE = {
    "not a list of objects": ([1], "scenarios[0]"),
    "none": ([], "scenarios"),
    "no order": ({"given": {}}, "scenarios[0].given.ordered"),
    "a key that means nothing": ({"given": {"T": "2026-06-10", "Tt": 1}}, "scenarios[0].given.tt"),
    "a weekday that is not": ({"given": {"ordered": "Mon 10 Jun 2026"}}, "scenarios[0].given.ordered"),
    "a day that is not": ({"given": {"ordered": "2026-02-30"}}, "scenarios[0].given.ordered"),
    "a zone that is not": ({"given": {**JUNE, "zone": "Mars/Olympus"}}, "scenarios[0].given.seller_zone"),
    "an event that is not": (
        {"given": JUNE, "events": [{"event": "hope", "at": "T"}]},
        "scenarios[0].events[0].event",
    ),
    "a notice without its date": (
        {"given": JUNE, "events": [{"notice": "2026-06-05"}]},
        "scenarios[0].events[0].revised",
    ),
    "a line that is not": (
        {"given": JUNE, "events": [{"scan": "T", "line": "X"}]},
        "scenarios[0].events[0].line",
    ),
    "more units than there are": (
        {"given": JUNE, "events": [{"scan": "T", "units": 2}]},
        "scenarios[0].events[0].units",
    ),
    "a grace buffer": (
        {"given": {**JUNE, "settings": {"grace_hours": 2}}},
        "scenarios[0].given.settings.grace_hours",
    ),
    "a tender that is not": ({"given": {**JUNE, "tender": "shells"}}, "scenarios[0].given.tenders[0].kind"),
    "two tenders without amounts": (
        {"given": {**JUNE, "tenders": ["card", "check"]}},
        "scenarios[0].given.tenders",
    ),
    "a misspelled expectation": ({"given": JUNE, "expected": {"sate": "open"}}, "scenarios[0].expected.sate"),
    "an outcome that is not": (
        {"given": JUNE, "events": [{"scan": "T"}], "expected": {"outcomes": ["fine"]}},
        "scenarios[0].expected.outcomes.1",
    ),
    "an amount below nothing": ({"given": {**JUNE, "price": -1}}, "scenarios[0].given.lines[0].price"),
    "an amount without end": ({"given": {**JUNE, "total": "1e400"}}, "scenarios[0].given.total"),
    "a day out of reach": ({"given": {"ordered": "9999-12-31"}}, "scenarios[0].given.ordered"),
    "a day beyond all days": (
        {"given": JUNE, "events": [{"scan": "day 99999999"}]},
        "scenarios[0].events[0].at",
    ),
    "a time that cannot be read": (
        {"given": {"ordered": "2026-06-01", "promise": "ships in two weeks"}},
        "scenarios[0].given.lines[0].promises[0]",
    ),
    "half a day": (
        {"given": {"ordered": "2026-06-01", "promise": "ships in 1.5 days"}},
        "scenarios[0].given.lines[0].promises[0]",
    ),
    "a place in words": ({"given": {**JUNE, "ship_to": "Berlin"}}, "scenarios[0].given.ship_to"),
    "lines expected as a list": (
        {"given": JUNE, "expected": {"lines": ["open"]}},
        "scenarios[0].expected.lines",
    ),
    "a form that is none": (
        {"given": JUNE, "events": [{"refund_sent": "T+2", "form": "apology"}]},
        "scenarios[0].events[0].form",
    ),
    "a new group without its number": (
        {"given": JUNE, "events": [{"scan": "T", "group": "a"}]},
        "scenarios[0].events[0].units",
    ),
    "a payment that was not": (
        {"given": JUNE, "events": [{"dishonored": "day 3", "tender": "check"}]},
        "scenarios[0].events[0].tender",
    ),
    "the same id twice": ([{"id": "a", "given": JUNE}, {"id": "a", "given": JUNE}], "scenarios[1].id"),
    "no such model": ({"as": "7"}, "scenarios[0].as"),
}


@pytest.mark.parametrize("row", UNREADABLE)
def test_what_cannot_be_read_is_status_2_with_path_and_remedy(tmp_path, capsys, row):
    document, path = UNREADABLE[row]
    file = tmp_path / "one.json"
    file.write_text(json.dumps(document))
    assert main([str(file)]) == 2
    said = capsys.readouterr().err
    assert f"one.json: {path}: " in said
    assert len(said.split(": ", 2)[2]) > 10


def test_a_file_that_is_none_is_status_2(tmp_path, capsys):
    assert main([str(tmp_path / "missing.json")]) == 2
    (tmp_path / "broken.json").write_text("{")
    assert main([str(tmp_path / "broken.json")]) == 2


# --- Generous in what is accepted ---

SAME_MOMENT = [
    "2026-06-10T04:30:00Z",
    "2026-06-10 00:30",
    "Wed 10 Jun 2026 00:30 seller",
    "2026-06-10T00:30:00-04:00",
    "2026-06-09 21:30 America/Los_Angeles",
    {"at": "2026-06-09 21:30", "zone": "America/Los_Angeles"},
    "T 00:30",
    "day 30 00:30",
]


@pytest.mark.parametrize("text", SAME_MOMENT, ids=str)
def test_an_instant_in_many_forms(text):
    scenario = {"given": JUNE, "events": [{"event": "scan", "at": text}]}
    assert read(scenario)[0].events[0].at.isoformat() == "2026-06-10T04:30:00+00:00"


@pytest.mark.parametrize(
    ("promise", "ship_by"),
    [
        ("ships in 2 days", "2026-03-04"),
        ("2-3 weeks", "2026-03-23"),
        ("7–10 business days", "2026-03-16"),
        ("ships 15 Mar 2026", "2026-03-15"),
        ("2026-03-15", "2026-03-15"),
        ({"within": [1, 2], "unit": "weeks"}, "2026-03-16"),
        ({"within": "36 hours"}, "2026-03-04"),
        ({"deliver_by": "2026-03-20", "transit_days": 4}, "2026-03-16"),
        ({"text": "ships tomorrow at 1 day", "clear": False}, "2026-04-01"),
        ("soon", "2026-04-01"),
        (None, "2026-04-01"),
        (["2 weeks", "2026-03-10"], "2026-03-10"),
    ],
    ids=str,
)
def test_a_promise_in_many_forms(promise, ship_by):
    told = found({"given": {"ordered": "2026-03-02", "promises": promise}})[0]
    assert told["lines"]["1"]["clock"]["T"] == ship_by


def test_an_unknown_buyers_zone_is_the_earliest_of_the_destination():
    given = {"ordered": "2026-06-01", "seller_zone": "America/Los_Angeles", "buyer_zone": "unknown"}
    maine = {**given, "ship_to": {"country": "US", "region": "ME"}}
    nowhere = {**given, "ship_to": {"country": "XX"}}
    deadlines = [
        one["lines"]["1"]["clock"]["deadline"] for one in found({"given": maine}, {"given": nowhere})
    ]
    assert deadlines == ["2026-07-01T21:00:00-07:00", "2026-07-02T00:00:00-07:00"]


def test_a_kit_ships_with_its_last_component():
    given = {**JUNE, "kind": "kit", "components": ["table", "legs"]}
    first = {"event": "scan", "at": "2026-06-08", "component": "table"}
    late = {"event": "scan", "at": "2026-06-11", "component": "legs"}
    assert group({"given": given, "events": [first, {**late, "at": "2026-06-09"}]})["state"] == "shipped"
    assert group({"given": given, "events": [first, late]})["case"] == "c5"
    assert group({"given": given, "events": [first]})["case"] == "c5"


def test_a_scan_reported_late_corrects_until_something_went_out():
    scan = {"event": "scan", "at": "2026-06-10 20:00", "reported": "2026-06-11 09:00"}
    assert group({"given": JUNE, "events": [scan]})["state"] == "shipped"
    gone = {"event": "void_sent", "at": "2026-06-11 08:00"}
    assert group({"given": JUNE, "events": [gone, scan]})["state"] == "cancelled"


def test_a_link_opened_by_a_scanner_is_no_answer():
    notice = {"notice": "2026-06-05", "revised": "2026-07-25"}
    events = [notice, {"consent": "2026-06-05 12:01", "method": "GET"}]
    assert group({"given": JUNE, "events": events})["case"] == "c2"


def test_a_date_the_buyer_asked_for_becomes_the_stated_time():
    events = [{"later_date": "2026-06-03", "ship_by": "2026-08-20"}]
    told = group({"given": JUNE, "events": events})
    assert (told["case"], told["vests_on"]) == ("c5", "2026-08-20")
    sooner = group({"given": JUNE, "events": [{"later_date": "2026-06-03", "ship_by": "2026-06-05"}]})
    assert sooner["vests_on"] == "2026-06-10"


def test_an_address_that_was_never_usable_keeps_the_clock_unless_the_settings_say_so():
    events = [{"event": "address_completed", "at": "2026-05-20", "asked_promptly": True}]
    given = {"ordered": "2026-05-11", "incomplete": "address"}
    assert group({"given": given, "events": events})["vests_on"] == "2026-06-10"
    given["settings"] = {"address_completed": "restarts_clock"}
    assert group({"given": given, "events": events})["vests_on"] == "2026-06-19"
    missing = {"ordered": "2026-05-11", "incomplete": "size"}
    assert group({"given": missing})["state"] == "incomplete"


# --- Money ---


def refunds(**scenario):
    return found({"given": JUNE, **scenario})[0]["refunds"]


def test_money_alone_is_no_refund_yet_and_store_credit_never_is():
    sent = {"event": "refund_sent", "at": "2026-06-15"}
    assert refunds(events=[sent])[0]["status"] == "statement_not_sent"
    both = [sent, {"event": "statement_sent", "at": "2026-06-16"}]
    assert (refunds(events=both)[0]["status"], refunds(events=both)[0]["refunded_on"]) == (
        "refunded",
        "2026-06-16",
    )
    assert group({"given": JUNE, "events": both})["state"] == "refunded"
    late = [sent, {"event": "statement_sent", "at": "2026-06-23"}]
    assert refunds(events=late)[0]["status"] == "refunded_late"
    assert refunds(events=[{**sent, "form": "store credit", "statement": True}])[0]["status"] == (
        "not_a_lawful_form"
    )
    assert refunds(events=[{**sent, "amount": 1, "statement": True}])[0]["status"] == "too_little"


def test_a_lost_discount_or_free_shipping_gives_back_the_larger_share():
    terms = {
        "shipping": [{"charge": 10}, {"from": 100, "charge": 0}],
        "discounts": [{"over": 100, "percent": 10}],
    }
    given = {**JUNE, "lines": [{"id": "A", "price": 70}, {"id": "B", "price": 50}], "terms": terms}
    scan = {"event": "scan", "at": "2026-06-08", "line": "A"}
    part = found({"given": given, "events": [scan]})[0]["refunds"]
    # Paid 108; A alone would cost 80: the formula gives 28, the share of B 45.
    assert [one["amount"] for one in part] == ["45.00"]


def test_cancellations_one_after_the_other_give_back_no_more_than_was_paid():
    given = {"ordered": "2026-06-01", "lines": [{"id": "A", "price": 70}, {"id": "B", "price": 30}]}
    given["terms"] = {"shipping": [{"charge": 8}, {"from": 80, "charge": 10}], "tax_percent": 8}
    events = [{"event": "will_not_ship", "at": "2026-06-05", "line": "B"}]
    parts = found({"given": given, "events": events})[0]["refunds"]
    assert [(one["amount"], one["lines"]) for one in parts] == [("34.56", ["B"]), ("84.24", ["A"])]


def test_a_dishonored_payment_leaves_nothing_to_give_back():
    events = [{"event": "dishonored", "at": "2026-06-01"}, {"event": "will_not_ship", "at": "2026-06-02"}]
    assert refunds(events=events) == []


# --- Other laws ---


def test_california_takes_the_earlier_of_each_day():
    given = {"ordered": "2026-04-06", "credit_application": "seller", "ship_to": {"region": "CA"}}
    told = found({"given": given})[0]
    assert told["regimes"] == ["us_federal", "us_california"]
    assert told["lines"]["1"]["clock"]["T"] == "2026-05-06"
    assert told["refunds"][0]["latest"] == "2026-05-13"


def test_a_delivery_clock_in_europe():
    given = {"ordered": "2026-06-01", "seller": "FR", "ship_to": {"country": "DE"}, "zone": "Europe/Berlin"}
    events = [
        {"event": "ended_by_consumer", "at": "2026-07-02"},
        {"event": "period_granted", "at": "2026-07-02 13:00", "until": "2026-07-10"},
        {"event": "ended_by_consumer", "at": "2026-07-11"},
    ]
    told = found({"given": given, "events": events})[0]
    assert told["regimes"] == ["eu"]
    assert told["lines"]["1"]["covered"] is False
    assert told["lines"]["1"]["delivery"] == {
        "deliver_by": "2026-07-01",
        "deadline": "2026-07-02T00:00:00+02:00",
        "state": "ended",
        "may_end_from": "2026-07-11T00:00:00+02:00",
        "ended_at": "2026-07-11T12:00:00+02:00",
        "refund_target": "2026-07-14",
    }


def test_dates_of_the_file_are_what_they_say():
    assert date(2026, 6, 10) - timedelta(days=30) == date(2026, 5, 11)
    assert read({"given": JUNE})[0].ordered.isoformat() == "2026-05-11T16:00:00+00:00"
