"""The alarms that say a person has to look: something was given up, or nobody knows what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.function import Function


class Monitoring(Construct):
    """One alarm for each function's dead letters, and one for messages of unknown outcome."""

    def __init__(self, scope: Construct, id: str, functions: Sequence[Function]) -> None:
        super().__init__(scope, id)
        for function in functions:
            self._alarm(
                f"{function.node.id}DeadLetters",
                function.dead_letters.metric_approximate_number_of_messages_visible(
                    period=Duration.minutes(5), statistic="Maximum"
                ),
                f"{function.node.id} has dead letters",
            )
        self._alarm(
            "UnknownOutcome",
            cloudwatch.Metric(
                namespace="Foreword",
                metric_name="UnknownOutcome",
                dimensions_map={"service": "release_due"},
                period=Duration.minutes(5),
                statistic="Sum",
            ),
            "A provider was called and nothing tells whether it sent the message",
        )

    def _alarm(self, id: str, metric: cloudwatch.IMetric, description: str) -> None:
        cloudwatch.Alarm(
            self,
            id,
            alarm_description=description,
            metric=metric,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
