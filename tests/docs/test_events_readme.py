"""Whatever events/README.md says of events and samples is so."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from botocore.exceptions import ReadTimeoutError

from foreword.authoring import mappings
from foreword.domain.preference_links import LinkPurpose
from foreword.domain.rulebook import Channel
from foreword.local.cloud import LocalCloud
from foreword.local.project import find
from tests.docs.markdown import ROOT, Document, rows, spans
from tests.fakes.decided import decide
from tests.fakes.links import link_in

EVENTS = Document("events/README.md")
SAMPLES = ROOT / "events" / "samples"


def schemas() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in find().schemas.glob("*.json")}


def test_every_event_with_a_schema_has_its_row_with_its_fields() -> None:
    told = {
        re.sub(r"\[(\w+)\].*", r"\1", event): (source, fields)
        for event, source, _, fields in rows(EVENTS.section("Events with a schema"), "event")
    }
    assert told.keys() == schemas().keys()
    allowed = set(
        json.loads(find().cdk.read_text("utf-8"))["context"]["foreword:stages"]["dev"]["allowed_sources"]
    )
    for event, schema in schemas().items():
        source, fields = told[event]
        outside_brackets = re.sub(r"\(.*?\)", "", fields)
        assert spans(outside_brackets) == list(schema["properties"]), event
        assert re.findall(r"`(\w+)`\*", fields) == schema["required"], event
        assert spans(source)[0] in allowed


def own_events() -> dict[str, tuple[str, str]]:
    """Name -> id and data, as they are told."""
    found = rows(EVENTS.section("What Foreword puts on the bus"), "event")
    return {spans(event)[0]: (spans(id)[0], data) for event, _, id, data in found}


def test_foreword_s_own_events_are_those_that_come_back_over_the_bus() -> None:
    template = json.loads((ROOT / "infra" / "template.json").read_text("utf-8"))
    patterns = [
        resource["Properties"]["EventPattern"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Events::Rule"
    ]
    own = max((one["detail-type"] for one in patterns if one["source"] == ["foreword"]), key=len)
    assert own_events().keys() == set(own)


def contacts(cloud: LocalCloud, customer: str, **profile: str) -> None:
    cloud.emit("CustomerUpdated", customer, {"email": f"{customer}@example.com", **profile}, source="crm")
    for _ in range(3):
        cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support")


def test_foreword_s_own_events_have_the_ids_and_data_that_are_told(foreword_cloud: LocalCloud) -> None:
    contacts(foreword_cloud, "ada")
    (message,) = foreword_cloud.sent
    for kind in ("DeliveryDelay", "Bounce", "Complaint", "Open", "Click", "Subscription"):
        foreword_cloud.feedback(message, kind)
    contacts(foreword_cloud, "bob", segment="staff")
    foreword_cloud.emit("SupportContactOpened", "cy", {"channel": 7}, source="support")
    lost = ReadTimeoutError(endpoint_url="ses")
    foreword_cloud.faults.fail("sesv2", "SendEmail", error=lost, when="before")
    contacts(foreword_cloud, "dan")
    foreword_cloud.advance(by=timedelta(hours=2))
    decide(foreword_cloud, channels=(Channel.TASK,))
    decide(foreword_cloud, episode="outbound", channels=(Channel.OUTBOUND,))
    form = "action=save&version=0&shown=advice/email/off&on=advice/email"
    foreword_cloud.request("POST", link_in(foreword_cloud, LinkPurpose.PREFERENCES, "bob"), body=form)

    told = own_events()
    common = spans(told["MessageSent"][1])
    seen = [event for event in foreword_cloud.bus_events if event.source == "foreword"]
    assert {event.type for event in seen} == told.keys()
    for event in seen:
        id, data = told[event.type]
        fields = {*spans(data)} - {"MessageSent"} | (set(common) if "MessageSent" in data else set())
        given = event.detail["data"]
        optional = {"case", "channel"} if event.type == "MessageSkipped" else {"case", "complaint_type"}
        if event.type == "PreferenceChanged":
            fields, optional = {*schemas()[event.type]["properties"]}, {*schemas()[event.type]["properties"]}
        assert fields - optional <= given.keys() <= fields, event.type
        about = given.get("message_id", r"[0-9a-f]{32}")
        expected = id.replace("<message_id>", about).replace("<hash of the event>", about)
        expected = re.sub(
            r"<(?:page, one-click or confirm-link|time|version|hash|channel)>", r"\\S+", expected
        )
        assert re.fullmatch(expected, event.detail["id"]), event.type


def target(line: str) -> str:
    return line[line.index("(") + 1 : line.index(")")]


def test_the_mapping_that_is_shown_is_the_sample_s_and_its_keys_are_told() -> None:
    section = EVENTS.section("Events of another shape")
    (shown,) = EVENTS.blocks("yaml")
    committed = (ROOT / "events" / target(shown.before)).read_text("utf-8")
    assert shown.code == "".join(line for line in committed.splitlines(keepends=True) if line[0] != "#")
    assert [spans(key)[0] for key, *_ in rows(section, "key")] == list(mappings.KNOWN)


def test_the_table_of_samples_is_what_is_in_the_folders() -> None:
    section = EVENTS.section("Samples")
    (heading,) = re.findall(r"^\| case \|.*$", section, re.MULTILINE)
    hops = spans(heading)
    told = {
        (hop, spans(case)[0])
        for case, _, *dots in rows(section, "case")
        for hop, dot in zip(hops, dots, strict=True)
        if dot
    }
    committed = {(path.parent.name, path.stem) for path in SAMPLES.glob("*/*.json")}
    assert told == {name for name in committed if name[0] != "bus"}
    assert {spans(case)[0] for case, *_ in rows(section, "case")} == {
        case for hop, case in committed if hop == "bus"
    }
