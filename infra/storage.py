"""The five tables, and the key that encrypts them and every queue."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.stage import Stage

DUE_INDEX = "due"
SMS_INDEX = "sms"
ADDRESS_INDEXES = ("email", "phone")


class Storage(Construct):
    """`activity` the journal, `customers` state and profile, `messages` the outbox, `consents` the choices.

    `peers` holds what customers bring to the comparison with others, by shards and not by customer.
    """

    def __init__(self, scope: Construct, id: str, stage: Stage) -> None:
        super().__init__(scope, id)
        self._protected = stage.protected
        self._removal = RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY
        self.key = self._encryption_key(stage)
        images = dynamodb.StreamViewType
        self.activity = self._table("Activity", "fact", images.NEW_IMAGE, ttl=True)
        self.customers = self._table("Customers", "item", images.NEW_AND_OLD_IMAGES)
        self.messages = self._table("Messages", "message_id", images.NEW_AND_OLD_IMAGES, ttl=True)
        self.consents = self._table("Consents", "item", images.NEW_AND_OLD_IMAGES)
        self.peers = self._table("Peers", "item", None, ttl=True, partition_key="part")
        self._due_index(self.customers)
        self._due_index(self.peers)
        self._due_index(self.messages, "status")
        self._finding_index(self.messages, SMS_INDEX, "sms_id")
        for attribute in ADDRESS_INDEXES:
            self._finding_index(self.customers, attribute, f"{attribute}_key")

    def _encryption_key(self, stage: Stage) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            description=f"{stage.full_name}: tables and queues",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )
        # EventBridge writes to encrypted queues in its own name; everyone else does in that of a role.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventBridgeToQueues",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key's own policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return key

    def _table(
        self,
        id: str,
        sort_key: str,
        images: dynamodb.StreamViewType | None,
        *,
        ttl: bool = False,
        partition_key: str = "customer_id",
    ) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            id,
            partition_key=_text(partition_key),
            sort_key=_text(sort_key),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=images,
            time_to_live_attribute="expires_at" if ttl else None,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._protected,
            removal_policy=self._removal,
        )

    @staticmethod
    def _due_index(table: dynamodb.Table, *attributes: str) -> None:
        """Sparse: only items that wait for a time carry its keys."""
        table.add_global_secondary_index(
            index_name=DUE_INDEX,
            partition_key=_text("due_shard"),
            sort_key=_text("due_at"),
            projection_type=dynamodb.ProjectionType.INCLUDE
            if attributes
            else dynamodb.ProjectionType.KEYS_ONLY,
            non_key_attributes=list(attributes) or None,
        )

    @staticmethod
    def _finding_index(table: dynamodb.Table, name: str, key: str) -> None:
        """Sparse: whose is what a provider names? Only items with such a key are in it."""
        table.add_global_secondary_index(
            index_name=name,
            partition_key=_text(key),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
