"""A template deployed into moto."""

from __future__ import annotations

from pathlib import Path

import boto3

from foreword.local.deploy.resources import Workshop, make
from foreword.local.deploy.stack import Stack
from foreword.local.deploy.template import Template

STACK_NAME = "foreword"


def deploy(path: Path) -> Stack:
    """Make everything in the template at `path`; raises DeployError for what the local cloud does not know.

    Code assets are not looked at: the handlers are those of this Python environment.
    """
    template = Template.read(path, STACK_NAME)
    workshop = Workshop(
        stack=Stack(),
        stack_name=STACK_NAME,
        dynamodb=boto3.client("dynamodb"),
        events=boto3.client("events"),
        sqs=boto3.client("sqs"),
        ses=boto3.client("sesv2"),
        secrets=boto3.client("secretsmanager"),
    )
    for resource in template.in_order():
        template.made[resource.logical_id] = make(workshop, resource)
    return workshop.stack
