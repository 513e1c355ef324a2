"""The OpenAPI document of `/pos/v1`, made of the messages that the code reads and writes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from merchant_agent import __version__
from merchant_agent.domain.sales import ORDER_MAX_CHARS, TILL_MAX_CHARS
from merchant_agent.terminal.pos.http import (
    MOST_IN_BATCH,
    BatchAnswer,
    ProblemTold,
    SaleAnswer,
    SaleMessage,
)
from merchant_agent.terminal.pos.signatures import HEADER

_REF: Final = "#/components/schemas/{name}"
# What `Sale` asks of the texts of a message, in the terms of JSON Schema.
_TEXT: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]*$"
_LIMITS: Final[dict[str, Any]] = {
    "order": {"type": "string", "minLength": 1, "maxLength": ORDER_MAX_CHARS, "pattern": _TEXT},
    "till": {"type": "string", "maxLength": TILL_MAX_CHARS, "pattern": _TEXT},
    "amount": {
        "anyOf": [{"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"}, {"type": "null"}],
        "default": None,
        "examples": ["64.00"],
    },
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "CNY"},
    "at": {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
        "default": None,
        "examples": ["2026-05-20T12:00:00+08:00"],
    },
}
_PROBLEMS: Final = {
    400: "The body is no JSON.",
    401: "No token in force, or no valid signature where one is asked for.",
    403: "The token is another till's, or the request comes from a foreign page.",
    404: "No such prompt, or another till's.",
    409: "The order was reported with another amount, or the prompt is not untouched any more.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    422: "A member is missing, unknown or out of range; `code` names it.",
    429: "Too many requests; `Retry-After` says for how long.",
    503: "Nothing can be stored at the moment, or the terminal is not enrolled; the same again later.",
    507: "The disk is full: nothing was saved.",
}


def describe_pos_api() -> dict[str, Any]:
    """The document, as plain JSON."""
    _, schemas = msgspec.json.schema_components(
        (SaleMessage, SaleAnswer, BatchAnswer, ProblemTold), ref_template=_REF
    )
    schemas["SaleMessage"]["properties"] |= _LIMITS
    schemas["BatchMessage"] = {
        "title": "BatchMessage",
        "type": "object",
        "required": ["sales"],
        "additionalProperties": False,
        "properties": {
            "sales": {
                "type": "array",
                "items": {"$ref": _REF.format(name="SaleMessage")},
                "minItems": 1,
                "maxItems": MOST_IN_BATCH,
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "merchant-agent: sales of tills", "version": __version__},
        "security": [{"token": []}],
        "paths": {
            "/pos/v1/sales": {"post": _report()},
            "/pos/v1/sales/batch": {"post": _batch()},
            "/pos/v1/sales/{prompt_id}": {
                "parameters": [_prompt_id()],
                "get": _about_sale("askAfterSale", "How the prompt of a sale stands."),
                "delete": _about_sale("withdrawSale", "Takes a sale back whose prompt nobody touched."),
            },
            "/pos/v1/openapi.json": {
                "get": {
                    "operationId": "describe",
                    "summary": "This document.",
                    "security": [],
                    "responses": {"200": _answer("This document.", {"type": "object"})},
                }
            },
        },
        "components": {"schemas": schemas, "securitySchemes": {"token": _TOKEN}},
    }


_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        f"A token of the manager's page. Where the till's token asks for signatures, each request also carries"
        f" `{HEADER}: t=<unix seconds>,n=<8 to 64 letters or digits, new each time>,v1=<hex>`: HMAC-SHA256 of"
        " the text `t.n.METHOD.path.` and the body's raw octets, by the till's secret."
    ),
}


def _report() -> dict[str, Any]:
    return {
        "operationId": "reportSale",
        "summary": "Reports a sale; the same (till, business day, order) again is the same prompt.",
        "requestBody": _body("SaleMessage"),
        "responses": {
            "201": _answer("A new prompt.", _ref("SaleAnswer")),
            "200": _answer("The prompt was there before.", _ref("SaleAnswer")),
            "202": _answer("Taken, and nobody is asked: a refund, or a dry run.", _ref("SaleAnswer")),
            **_problems(400, 401, 403, 409, 413, 415, 422, 429, 503, 507),
        },
    }


def _batch() -> dict[str, Any]:
    return {
        "operationId": "reportSales",
        "summary": f"Reports up to {MOST_IN_BATCH} sales; each is answered as if it came alone.",
        "requestBody": _body("BatchMessage"),
        "responses": {
            "200": _answer("What came of each, in their order.", _ref("BatchAnswer")),
            **_problems(400, 401, 403, 413, 415, 422, 429),
        },
    }


def _about_sale(operation: str, summary: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {
            "200": _answer("How it stands.", _ref("SaleAnswer")),
            **_problems(401, 403, 404, 409, 429, 503, 507),
        },
    }


def _prompt_id() -> dict[str, Any]:
    return {"name": "prompt_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _ref(name)}}}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(*statuses: int) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": _ref("ProblemTold")}}
    return {str(status): {"description": _PROBLEMS[status], "content": problem} for status in statuses}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}
