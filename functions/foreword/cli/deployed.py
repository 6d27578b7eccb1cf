"""A customer as the tables of a deployed stage hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foreword.cli.failures import CannotRun
from foreword.domain.rulebook import Rulebook
from foreword.explaining.customer import Customer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient

_TABLES = ("ActivityTable", "CustomersTable", "MessagesTable", "ConsentsTable")


def read_customer(
    customer_id: str, stage: str, rulebook: Rulebook, *, profile: str | None, region: str | None
) -> Customer:
    """Read with strong consistency, table by table; raises CannotRun."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from foreword.adapters.activity_table import ActivityTable
    from foreword.adapters.consents_table import load_consents
    from foreword.adapters.customers_table import load_profile
    from foreword.adapters.messages_table import MessagesTable

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        activity, customers, messages, consents = _tables(session.client("cloudformation"), stage)
        client = session.client("dynamodb")
        return Customer(
            customer_id,
            ActivityTable(client, activity, rulebook.journal_kept_for).read(customer_id),
            load_profile(client, customers, customer_id),
            MessagesTable(client, messages).of_customer(customer_id),
            load_consents(client, consents, customer_id),
        )
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
