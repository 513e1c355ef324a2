"""Whether central is up, for those who watch it; without personal data."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from merchant_agent import __version__
from merchant_agent.central.log.trouble import find_trouble
from merchant_agent.central.metrics import METRICS, metric_values
from merchant_agent.central.overview import list_merchants
from merchant_agent.central.services import Central
from merchant_agent.web.metrics import metrics_response


def health(central: Central) -> Blueprint:
    """`/metrics`, and `/healthz`: 200 when the database answers; else the error's problem.

    `log` is `ok`, or what keeps the log from going on.
    """
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        list_merchants(central)
        trouble = find_trouble(central)
        log = "ok" if trouble is None else trouble.value
        return jsonify({"state": "ok", "program": "central", "version": __version__, "log": log})

    @pages.get("/metrics")
    def metrics() -> Response:
        return metrics_response(METRICS, metric_values(central))

    return pages
