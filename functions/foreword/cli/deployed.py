"""What the tables of a deployed stage hold: a customer, or the history of a rule's experiment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from foreword.cli.failures import CannotRun
from foreword.domain.rulebook import Rulebook
from foreword.explaining.customer import Customer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

    from foreword.experiments.ports import ContactHistory, Journal

_TABLES = ("ActivityTable", "CustomersTable", "MessagesTable", "ConsentsTable")


def read_customer(
    customer_id: str, stage: str, rulebook: Rulebook, *, profile: str | None, region: str | None
) -> Customer:
    """Read with strong consistency, table by table; raises CannotRun."""
    from foreword.adapters.activity_table import ActivityTable
    from foreword.adapters.consents_table import load_consents
    from foreword.adapters.customers_table import load_profile
    from foreword.adapters.messages_table import MessagesTable

    with _opened(stage, profile, region) as (client, (activity, customers, messages, consents)):
        return Customer(
            customer_id,
            ActivityTable(client, activity, rulebook.journal_kept_for).read(customer_id),
            load_profile(client, customers, customer_id),
            MessagesTable(client, messages).of_customer(customer_id),
            load_consents(client, consents, customer_id),
        )


@contextmanager
def opened_history(
    stage: str, rulebook: Rulebook, *, profile: str | None, region: str | None
) -> Iterator[tuple[ContactHistory, Journal]]:
    """To be read inside; raises CannotRun."""
    from foreword.adapters.activity_table import ActivityTable
    from foreword.adapters.exposures_table import ExposuresTable

    with _opened(stage, profile, region) as (client, (activity, _, messages, _)):
        yield ExposuresTable(client, messages), ActivityTable(client, activity, rulebook.journal_kept_for)


@contextmanager
def _opened(
    stage: str, profile: str | None, region: str | None
) -> Iterator[tuple[DynamoDBClient, list[str]]]:
    """The client and the names of the tables; what AWS refuses inside is raised as CannotRun."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        yield session.client("dynamodb"), _tables(session.client("cloudformation"), stage)
    except (BotoCoreError, ClientError) as error:
        raise CannotRun(f"stage {stage}: {error}") from None
    except (KeyError, ValueError) as error:
        raise CannotRun(f"stage {stage}: an item of another release cannot be read: {error}") from None


def _tables(client: CloudFormationClient, stage: str) -> list[str]:
    """The names of the tables, from the outputs of the stage's stack."""
    name = f"foreword-{stage}"
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    outputs: Mapping[str, str] = {
        output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])
    }
    missing = [table for table in _TABLES if table not in outputs]
    if missing:
        raise CannotRun(f"stack {name} has no output {missing[0]}; is it deployed to the end?")
    return [outputs[table] for table in _TABLES]
