"""Whatever README.md says that can be run or looked up: it is."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from foreword.authoring import experiments, holds, open_cases, policy, rules, sends
from foreword.authoring.cel_functions import METHODS, PLAIN
from foreword.authoring.check import check
from foreword.authoring.rule_tests import run_rule_tests
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.signals.kinds import KINDS
from foreword.authoring.signals.reader import WILLINGNESS
from foreword.cli import demo
from foreword.cli.main import foreword
from foreword.domain.reasons import QuarantineReason, Reason
from foreword.domain.rulebook import Policy
from foreword.local.cloud import LocalCloud
from foreword.local.faults import Faults
from foreword.local.project import find
from infra.stage import Stage
from tests.docs.markdown import ROOT, Document, rows, spans

README = Document("README.md")
DEMO = "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/foreword demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest"
EXAMPLE = "payment-trouble"
"""The rule that the README adds, and this repository does not have."""


def keys(section: str, heading: str) -> list[str]:
    """What stands in backticks in the first column of a table."""
    return [name for cells in rows(README.section(section), heading) for name in spans(cells[0])]


def python(*, containing: str) -> str:
    (code,) = [block.code for block in README.blocks("python") if containing in block.code]
    return code


# ---- the commands


def test_the_first_two_things_to_type_are_the_two_commands() -> None:
    assert [block.code.strip() for block in README.blocks("sh")[:2]] == [DEMO, TESTS]
    assert README.text.index("## Two commands") < README.text.index("```")


def test_ci_runs_the_test_command_as_the_readme_says_it() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    (reads_it,) = [line for line in lines if line.startswith("command=")]
    script = f'{reads_it}\necho "$command"'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607
    assert done.stdout.strip() == TESTS


def uses_of_the_command() -> set[str]:
    shell = "\n".join(block.code for block in README.blocks("sh"))
    typed = re.findall(r"\.venv/bin/foreword (.*)", shell)
    return {
        *typed,
        *(span.removeprefix("foreword ") for span in spans(README.prose) if span.startswith("foreword ")),
    }


@pytest.mark.parametrize("use", sorted(uses_of_the_command()))
def test_every_command_and_option_that_is_named_exists(use: str) -> None:
    name, *words = use.replace("[", " ").replace("]", " ").split()
    options = {option for parameter in foreword.commands[name].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_every_command_and_option_that_exists_is_in_the_table() -> None:
    told = " ".join(span for cells in rows(README.section("Commands"), "command") for span in spans(cells[0]))
    for name, command in foreword.commands.items():
        assert f"foreword {name} " in told
        options = {option for parameter in command.params for option in parameter.opts}
        assert {option for option in options if option.startswith("--") and option not in told} == set()


def test_the_excerpts_of_the_demo_and_of_what_explains_it_are_real_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    demo.run(out=Path("foreword-demo"), as_json=False)
    assert_excerpt("c-bernd", capsys.readouterr().out)
    (asked,) = [block.code for block in README.blocks("sh") if "foreword explain" in block.code]
    foreword.main(shlex.split(asked)[1:], standalone_mode=False)
    assert_excerpt("Gates now", capsys.readouterr().out)


def test_the_excerpt_of_the_preview_is_real_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (block,) = [block.code for block in README.blocks("sh") if "foreword preview" in block.code]
    foreword.main(shlex.split(block.splitlines()[-1])[1:], standalone_mode=False)
    assert_excerpt("segments/business", capsys.readouterr().out)


def assert_excerpt(part: str, printed: str) -> None:
    """The block with that part in it has lines that are printed, in their order."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    (excerpt,) = [block.code for block in README.blocks("text") if part in block.code]
    for line in excerpt.splitlines():
        assert line == "..." or line in lines, f"not printed, or not in this order: {line}"


# ---- what is listed


def test_every_reason_is_listed_and_no_other() -> None:
    assert keys("Reasons", "reason") == [reason.value for reason in Reason]
    assert keys("What gets quarantined", "reason") == [reason.value for reason in QuarantineReason]


def test_every_kind_of_signal_that_is_built_is_described() -> None:
    assert keys("Rule reference", "kind") == [*KINDS, WILLINGNESS]


def test_every_key_of_a_rule_its_send_the_policy_and_a_stage_is_described() -> None:
    assert set(keys("Rule reference", "key")) == set(rules.KEYS)
    assert set(keys("Rule reference", "key of `send`")) == set(sends.KEYS)
    assert set(keys("Holds and open cases", "key of `hold`")) == set(holds.KEYS)
    assert set(keys("Experiments", "key of `experiment`")) == set(experiments.KEYS)
    assert keys("Policy and lists", "key") == list(policy.KEYS)
    assert keys("Policy and lists", "key of `open_cases`") == list(open_cases.KEYS)
    assert set(keys("Deploy", "key")) == Stage.model_fields.keys() - {"name"}


@pytest.mark.parametrize("key", ["send", "hold", "experiment"])
def test_the_examples_of_the_rule_reference_are_read_as_they_stand(tmp_path: Path, key: str) -> None:
    (shown,) = [block.code for block in README.blocks("yaml") if block.code.startswith(f"{key}:")]
    needed = "" if key == "send" else "send: {message: m, purpose: service, topic: care, channels: [task]}\n"
    rule = f"rule: shown\nwhy: W\nowner: O\nsignals: {{n: {{each: A}}}}\nwhen: 'n'\n{needed}{shown}"
    (tmp_path / "shown.yaml").write_text(rule)
    (authored,) = load_rulebook(tmp_path).rules
    assert authored.rule.sends


def test_the_example_of_a_test_under_the_policy_passes(tmp_path: Path) -> None:
    (shown,) = [block.code for block in README.blocks("yaml") if block.code.startswith("tests:")]
    send = "{message: parcel-lost, purpose: service, topic: care, channels: [sms, email]}"
    rule = (
        f"rule: shown\nwhy: W\nowner: O\nsignals: {{lost: {{each: ParcelLost}}}}\nwhen: lost\nsend: {send}\n"
    )
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shown.yaml").write_text(rule.replace("when: lost", "when: 'lost'") + shown)
    (tmp_path / "policy.yaml").write_text('quiet_hours: {from: "20:00", to: "09:00"}\n')
    loaded = load_rulebook(tmp_path)
    results = run_rule_tests(loaded.rules[0], loaded.policy, loaded.lists)
    assert len(results) == 3
    assert all(result.passed for result in results), results


def test_the_examples_in_the_table_of_the_policy_are_read_as_they_stand(tmp_path: Path) -> None:
    for name, meaning, _ in rows(README.section("Policy and lists"), "key"):
        for shown in (span for span in spans(meaning) if span.startswith("{")):
            (key,) = spans(name)
            listed = key in ("frequency_caps", "volume_constraints")
            path = tmp_path / "policy.yaml"
            path.write_text(f"{key}: {f'[{shown}]' if listed else shown}\n")
            assert policy.read_policy(path) != Policy()


def test_every_function_of_a_condition_is_named() -> None:
    told = " ".join(spans(README.section("Rule reference")))
    assert all(f"{name}(" in told for name in ("has", *PLAIN, *METHODS))


def test_what_is_said_of_the_fixture_is_there() -> None:
    section = README.section("Test your own rules and services")
    parts = [
        re.split(r"[(.]", name)[:2]
        for name in keys("Test your own rules and services", "part of `foreword_cloud`")
    ]
    running = {*dir(LocalCloud), *vars(LocalCloud(published=ROOT))}
    assert {name for name, *_ in parts} <= running
    assert {rest[0] for name, *rest in parts if name == "faults"} <= set(dir(Faults))
    told = re.search(r"The marker takes (.*?)\.", section)
    assert told
    assert set(spans(told[1])) == {name for name in LocalCloud.__init__.__annotations__ if name != "return"}


def test_the_functions_and_tables_that_are_deployed_are_named() -> None:
    template = json.loads((ROOT / "infra" / "template.json").read_text("utf-8"))
    variables = [
        resource["Properties"]["Environment"]["Variables"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    deployed = {cells[0]: set(spans(cells[1])) for cells in rows(README.section("Deploy"), "what")}
    assert deployed["functions"] == {one["POWERTOOLS_SERVICE_NAME"] for one in variables}
    tables = {
        name.removesuffix("_TABLE").lower() for one in variables for name in one if name.endswith("_TABLE")
    }
    assert deployed["tables"] - {"retention"} == tables


# ---- what can be run


def example_rulebook(folder: Path) -> Path:
    """The README's rule with its templates, the project's policy beside them."""
    (rule,) = [block.code for block in README.blocks("yaml") if EXAMPLE in block.code]
    files = {rule.splitlines()[0].removeprefix("# "): rule}
    files |= {spans(block.before)[0]: block.code for block in README.blocks("liquid")}
    for name, text in files.items():
        path = folder / Path(*Path(name).parts[2:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "policy.yaml").write_bytes((find().rulebook / "policy.yaml").read_bytes())
    return folder


def test_the_rule_that_is_shown_passes_its_check_and_sends_its_message(tmp_path: Path) -> None:
    rulebook = example_rulebook(tmp_path)
    report = check(rulebook, rulebook / "messages", find().schemas)
    assert report.rules == (EXAMPLE,)
    assert report.passed
    assert not report.warnings
    assert len(report.tests) == 3
    with LocalCloud(rulebook=rulebook, messages=rulebook / "messages") as cloud:
        cloud.emit("CustomerUpdated", "c-1", {"email": "ada@example.com", "name": "Ada"})
        for _ in range(2):
            cloud.emit("PaymentFailed", "c-1")
    (message,) = cloud.sent_to("ada@example.com")
    assert message.text.startswith("Hello Ada,\n\nyour payment failed 2 times.")


def test_the_emitters_in_python_and_in_a_shell_put_one_and_the_same_event(foreword_cloud: LocalCloud) -> None:
    exec(compile(python(containing="put_events"), "README.md", "exec"), {})  # noqa: S102 - it is the README's
    foreword_cloud.settle()
    (block,) = [block.code for block in README.blocks("sh") if "put-events" in block.code]
    words = shlex.split(block)
    entries = json.loads(words[words.index("--entries") + 1])
    assert all("EventId" in answer for answer in foreword_cloud.put_events(entries))
    (fact,) = foreword_cloud.table("activity")
    assert (fact["source"], fact["event_id"], fact["customer_id"]) == ("support", "ticket-981/opened", "c-42")
    assert not foreword_cloud.quarantined
    assert foreword_cloud.metrics(service="record_activity")["EventsDuplicate"] == 1


def test_the_tests_that_are_shown_pass_in_a_project_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "test_shown.py").write_text(python(containing="foreword_cloud"), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert "2 passed" in done.stdout, done.stdout + done.stderr


# ---- where things are


@pytest.mark.parametrize("document", ["README.md", "events/README.md"])
def test_every_link_and_path_leads_somewhere(document: str) -> None:
    read = Document(document)
    for link in read.links:
        path, _, anchor = link.partition("#")
        if link.startswith("https://"):
            continue
        target = (read.path.parent / path).resolve() if path else read.path
        assert target.exists(), link
        assert not anchor or anchor in Document(str(target.relative_to(ROOT))).anchors, link
    tops = {path.name for path in ROOT.iterdir()}
    said = [*spans(read.prose), *(line for block in read.blocks("sh") for line in block.code.splitlines())]
    words = {word for line in said for word in line.split()}
    modules = {
        match[1].replace(".", "/") + ".py" for line in said if (match := re.search(r"-m ([\w.]+\.\w+)", line))
    }
    paths = {word for word in words if "/" in word and word.split("/")[0] in tops - {".venv"}}
    assert paths or modules
    for name in paths | modules:
        assert "<" in name or EXAMPLE in name or (ROOT / name).exists(), name


def test_nothing_of_the_machine_it_was_written_on_is_told() -> None:
    for document in ("README.md", "events/README.md"):
        assert not re.search(
            r"(?<![\w.])/(?:work|tmp|root|home|Users)\b|index-url|registry", Document(document).text
        )
