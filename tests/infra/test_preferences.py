"""Where customers choose: who may ask, how often, and that nothing that would let others choose is kept."""

from __future__ import annotations

import json

from tests.infra.reading import Template, as_list, logical_id


def test_every_page_may_be_looked_at_and_written_to_and_nothing_else_is_answered(fresh: Template) -> None:
    keys = {route["RouteKey"] for route in fresh.of_type("AWS::ApiGatewayV2::Route").values()}
    assert keys == {f"{method} /{page}/{{token}}" for method in ("GET", "HEAD", "POST") for page in "puc"}
    (integration,) = fresh.of_type("AWS::ApiGatewayV2::Integration").values()
    assert logical_id(integration["IntegrationUri"]) == fresh.function_id("preferences")
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")


def test_the_gateway_alone_may_call_the_function(fresh: Template) -> None:
    (permission,) = [
        one
        for one in fresh.of_type("AWS::Lambda::Permission").values()
        if logical_id(one["FunctionName"]) == fresh.function_id("preferences")
    ]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    (api,) = fresh.of_type("AWS::ApiGatewayV2::Api")
    assert {"Ref": api} in permission["SourceArn"]["Fn::Join"][1]


def test_the_stage_is_throttled_and_its_log_holds_no_token(fresh: Template) -> None:
    (stage,) = fresh.of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    logged = set(json.loads(stage["AccessLogSettings"]["Format"]).values())
    assert "$context.routeKey" in logged
    assert not [one for one in logged if "path" in one.lower() or "querystring" in one.lower()]


def test_the_key_of_links_is_drawn_at_deployment_encrypted_and_read_by_two_functions(fresh: Template) -> None:
    ((id, secret),) = fresh.of_type("AWS::SecretsManager::Secret").items()
    assert secret["GenerateSecretString"]["PasswordLength"] >= 64
    assert logical_id(secret["KmsKeyId"]) in fresh.of_type("AWS::KMS::Key")
    readers = {
        name
        for name, function in fresh.functions().items()
        for statement in fresh.statements(logical_id(function["Role"]))
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
        and as_list(statement["Resource"]) == [{"Ref": id}]
    }
    assert readers == {"deliver_message", "preferences"}


def test_links_lead_to_where_they_are_answered(fresh: Template) -> None:
    (api,) = fresh.of_type("AWS::ApiGatewayV2::Api")
    for name in ("deliver_message", "preferences"):
        variables = fresh.functions()[name]["Environment"]["Variables"]
        assert variables["PREFERENCES_URL"] == {"Fn::GetAtt": [api, "ApiEndpoint"]}


def test_a_page_that_cannot_be_served_raises_an_alarm(fresh: Template) -> None:
    (alarm,) = [
        one
        for one in fresh.of_type("AWS::CloudWatch::Alarm").values()
        if one["Namespace"] == "AWS/ApiGateway"
    ]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Statistic"]) == ("5xx", 0, "Sum")
