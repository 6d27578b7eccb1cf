"""Rulebooks written for a test: a good rule, and ways to change it."""

from __future__ import annotations

from pathlib import Path

RULE = """\
rule: stuck
why: Three contacts in a week say the customer is stuck.
owner: care-team
mode: live
signals:
  contacts:
    count: SupportContactOpened
    where: 'event.data.channel != "survey"'
    within: 7d
when: 'contacts >= 3'
eligible: 'profile.segment != "staff"'
re_eligible_after: 14d
send:
  message: stuck
  purpose: service
  topic: care
  priority: 80
  channels: [email, sms]
  expires_after: 24h
tests:
  - name: three contacts
    customer: {segment: retail}
    given:
      - {at: 2026-03-02T09:00:00Z, event: SupportContactOpened, data: {channel: phone}}
      - {at: 2026-03-03T09:00:00Z, event: SupportContactOpened, data: {channel: phone}}
      - {at: 2026-03-04T09:00:00Z, event: SupportContactOpened, data: {channel: phone}}
    expect:
      - {message: stuck, channel: email}
  - name: one contact
    customer: {segment: retail}
    given:
      - {at: 2026-03-02T09:00:00Z, event: SupportContactOpened, data: {channel: phone}}
    expect: []
"""


def write_rulebook(directory: Path, **files: str) -> Path:
    """`rule`, `policy`, `lists` as text; a rule called by any other name stands in rules/NAME.yaml."""
    (directory / "rules").mkdir(parents=True, exist_ok=True)
    for name, text in {"stuck": RULE, **files}.items():
        folder = directory if name in ("policy", "lists", "signals") else directory / "rules"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory


def write_messages(directory: Path, **changed: str | None) -> Path:
    """The message `stuck` by e-mail and SMS; `changed` is by file name, `_` for dots, None leaves it out."""
    folder = directory / "stuck"
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str | None] = {
        "subject_txt": "Hello",
        "email_txt": "You came {{ contacts }} times.",
        "email_html": "<p>You came {{ contacts }} times.</p>",
        "sms_txt": "You came {{ contacts }} times.",
        **changed,
    }
    for name, text in files.items():
        if text is not None:
            (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return directory
