"""The tables of a deployed stage, and a customer or the history of an experiment as they hold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.cli.failures import CannotRun
from foreword.domain.rulebook import Rulebook
from foreword.explaining.customer import Customer

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

    from foreword.experiments.ports import ContactHistory, Journal

TABLES = ("activity", "customers", "messages", "consents", "peers")


def read_customer(
    customer_id: str, stage: str, rulebook: Rulebook, *, profile: str | None, region: str | None
) -> Customer:
    """Read with strong consistency, table by table; raises CannotRun."""
    from foreword.adapters.activity_table import ActivityTable
    from foreword.adapters.clock import SystemClock
    from foreword.adapters.consents_table import load_consents
    from foreword.adapters.customers_table import load_profile
    from foreword.adapters.ledger_items import load_ledger
    from foreword.adapters.messages_table import MessagesTable
    from foreword.adapters.pause_switch import PauseSwitchItem

    with stage_tables(stage, profile=profile, region=region) as deployed:
        client, tables = deployed.client, deployed.tables
        return Customer(
            customer_id,
            ActivityTable(client, tables["activity"], rulebook.journal_kept_for).read(customer_id),
            load_profile(client, tables["customers"], customer_id),
            MessagesTable(client, tables["messages"]).of_customer(customer_id),
            load_consents(client, tables["consents"], customer_id),
            load_ledger(client, tables["messages"], customer_id),
            PauseSwitchItem(client, tables["consents"], SystemClock()).read(),
        )


@contextmanager
def opened_history(
    stage: str, rulebook: Rulebook, *, profile: str | None, region: str | None
) -> Iterator[tuple[ContactHistory, Journal]]:
    """To be read inside; raises CannotRun."""
    from foreword.adapters.activity_table import ActivityTable
    from foreword.adapters.exposures_table import ExposuresTable

    with stage_tables(stage, profile=profile, region=region) as deployed:
        client, tables = deployed.client, deployed.tables
        journal = ActivityTable(client, tables["activity"], rulebook.journal_kept_for)
        yield ExposuresTable(client, tables["messages"]), journal


@dataclass(frozen=True)
class Deployed:
    """A client with the caller's credentials, and the tables' own names by "activity" and so on."""

    client: DynamoDBClient
    tables: Mapping[str, str]


@contextmanager
def stage_tables(stage: str, *, profile: str | None, region: str | None) -> Iterator[Deployed]:
    """What AWS refuses inside, and an item that is none of this release, is told as CannotRun."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    # Patient and with many connections: an import writes as fast as the tables take it.
    patient = Config(retries={"mode": "adaptive", "total_max_attempts": 10}, max_pool_connections=32)
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        tables = _tables(session.client("cloudformation"), stage)
        yield Deployed(session.client("dynamodb", config=patient), tables)
    except (BotoCoreError, ClientError) as error:
        raise CannotRun(f"stage {stage}: {error}") from None
    except (KeyError, ValueError) as error:
        raise CannotRun(f"stage {stage}: an item of another release cannot be read: {error}") from None


def _tables(client: CloudFormationClient, stage: str) -> dict[str, str]:
    """From the outputs of the stage's stack."""
    name = f"foreword-{stage}"
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    outputs: Mapping[str, str] = {
        output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])
    }
    wanted = {table: f"{table.title()}Table" for table in TABLES}
    missing = [output for output in wanted.values() if output not in outputs]
    if missing:
        raise CannotRun(f"stack {name} has no output {missing[0]}; is it deployed to the end?")
    return {table: outputs[output] for table, output in wanted.items()}
