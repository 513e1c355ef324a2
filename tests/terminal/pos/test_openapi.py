"""The OpenAPI document, compared with what the code does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from merchant_agent.evidence.record import new_id
from merchant_agent.terminal.pos.openapi import describe_pos_api
from tests.terminal.collect.shop import TILL, Shop
from tests.terminal.web.doors import Till, make_app_of

METHODS = {"GET", "POST", "DELETE"}


@pytest.fixture
def app(shop: Shop) -> Flask:
    return make_app_of(shop)


def test_every_path_and_method_is_described_and_no_other(app: Flask) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/pos/v1/")
        for method in (rule.methods or set()) & METHODS
    }
    described = {
        (path, method.upper())
        for path, operations in describe_pos_api()["paths"].items()
        for method in operations
        if method.upper() in METHODS
    }
    assert described == served


def test_method_that_a_path_has_not_is_answered_with_those_that_it_has(app: Flask) -> None:
    for path, operations in describe_pos_api()["paths"].items():
        has = {method.upper() for method in operations} & METHODS
        answer = app.test_client().put(path.format(prompt_id=new_id(datetime.now(UTC))))
        assert answer.status_code == 405
        assert {method.upper() for method in answer.allow} - {"HEAD", "OPTIONS"} == has


def test_document_is_served_to_anybody_and_every_reference_leads_somewhere(app: Flask) -> None:
    document = app.test_client().get("/pos/v1/openapi.json").get_json()
    assert document == describe_pos_api()
    names = re.findall(r"#/components/schemas/(\w+)", str(document))
    assert set(names) <= document["components"]["schemas"].keys()


def test_answers_are_as_they_are_described(app: Flask, shop: Shop) -> None:
    till = Till.of(app, shop)
    made = till.report("1", amount="5.00")
    prompt = made.get_json()["prompt"]["id"]
    sales = {"sales": [{"order": "1", "till": TILL}]}
    for path, method, answer in (
        ("/pos/v1/sales", "post", made),
        ("/pos/v1/sales", "post", till.report("1", amount="5.00")),
        ("/pos/v1/sales", "post", till.report("2", kind="refund")),
        ("/pos/v1/sales", "post", till.report("1", amount="6.00")),
        ("/pos/v1/sales", "post", till.report("")),
        (
            "/pos/v1/sales/batch",
            "post",
            till.client.post("/pos/v1/sales/batch", json=sales, headers=till.headers),
        ),
        ("/pos/v1/sales/{prompt_id}", "get", till.ask(prompt)),
        ("/pos/v1/sales/{prompt_id}", "get", till.ask("x")),
        ("/pos/v1/sales/{prompt_id}", "delete", till.withdraw(prompt)),
    ):
        told = describe_pos_api()["paths"][path][method]["responses"][str(answer.status_code)]
        schema = told["content"][answer.content_type]["schema"]
        _require(answer.get_json(), schema)


@pytest.mark.parametrize(
    ("member", "good", "bad"),
    [
        ("order", "087", "08\n7"),
        ("till", "收银台 1", "x\u202e"),
        ("amount", "64.00", "64,00"),
        ("currency", "EUR", "yuan"),
    ],
)
def test_patterns_refuse_what_the_code_refuses(
    app: Flask, shop: Shop, member: str, good: str, bad: str
) -> None:
    schema = describe_pos_api()["components"]["schemas"]["SaleMessage"]["properties"][member]
    pattern = schema.get("pattern") or schema["anyOf"][0]["pattern"]
    till = Till.of(app, shop, "")
    for text, status in ((good, 201), (bad, 422)):
        assert (re.search(pattern, text) is not None) == (status == 201)
        assert till.report(**{"order": "1", member: text}).status_code == status


def _require(value: object, schema: dict[str, Any]) -> None:
    """The value has the shape of the schema, as far as our own schemas use JSON Schema."""
    if "$ref" in schema:
        _require(value, describe_pos_api()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return
    if "anyOf" in schema:
        kinds = [one for one in schema["anyOf"] if (one.get("type") == "null") == (value is None)]
        assert kinds, (value, schema)
        _require(value, kinds[0])
        return
    if "enum" in schema:
        assert value in schema["enum"]
        return
    match schema["type"]:
        case "object":
            assert isinstance(value, dict)
            assert value.keys() <= schema["properties"].keys()
            assert set(schema.get("required", ())) <= value.keys()
            for name, member in value.items():
                _require(member, schema["properties"][name])
        case "array":
            assert isinstance(value, list)
            for item in value:
                _require(item, schema["items"])
        case "null":
            assert value is None
        case name:
            assert isinstance(value, {"string": str, "integer": int}[name])
