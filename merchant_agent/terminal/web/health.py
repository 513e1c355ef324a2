"""For watchdogs: how far the terminal and its upload are. Never personal data."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from merchant_agent.clock import format_at
from merchant_agent.terminal.metrics import METRICS, metric_values
from merchant_agent.terminal.pos.connections import Connections
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.upload.uploader import Uploader
from merchant_agent.web.metrics import metrics_response


def health(terminal: Terminal, uploader: Uploader, connections: Connections) -> Blueprint:
    """`/healthz`, `/readyz` and `/metrics`."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        status, head = uploader.status(), terminal.journal.head
        last = status.last_success_at
        return jsonify(
            status="ok",
            head=None if head is None else {"epoch": head.epoch, "seq": head.seq},
            acknowledged=None if head is None else {"epoch": status.acked_epoch, "seq": status.acked_seq},
            waiting=status.waiting,
            last_upload_at=None if last is None else format_at(last.astimezone(terminal.clock.now().tzinfo)),
            upload=status.state,
            hold=terminal.journal.hold,
        )

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        ready = terminal.journal.enrolled
        return jsonify(ready=ready), 200 if ready else 503

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return metrics_response(METRICS, metric_values(terminal, uploader, connections))

    return blueprint
