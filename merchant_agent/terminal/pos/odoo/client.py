"""Odoo's external API as far as it is needed: sign in, and read records.

Source: Odoo, External API, "Logging in" and "Calling methods", by JSON-RPC at `/jsonrpc`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, Final

import urllib3

from merchant_agent.errors import MerchantAgentError
from merchant_agent.terminal.pos.states import State, StateCode
from merchant_agent.terminal.pos.ways import OdooDetails

_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=20.0)
_MOST_BYTES: Final = 8 * 1024 * 1024
_DETAIL_CHARS: Final = 160


class OdooError(MerchantAgentError):
    """Odoo did not answer as asked; `state` says why. The same may work later."""

    code = "odoo"

    def __init__(self, state: State) -> None:
        super().__init__(f"{state.code.value}: {state.detail}")
        self.state = state


class OdooClient:
    """One database of one Odoo; signs in by itself, and again after every error. Of one thread at a time."""

    def __init__(self, details: OdooDetails) -> None:
        self._details = details
        self._pool = urllib3.PoolManager(num_pools=1, timeout=_TIMEOUT, retries=False)
        self._numbers = count(1)
        self._user: int | None = None
        self.date: datetime | None = None  # Odoo's own clock at its last answer

    def read(self, model: str, method: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 -- any JSON
        """What the method of a model returns.

        Raises:
            OdooError: with the state that tells why.
        """
        details = self._details
        try:
            if self._user is None:
                self._user = self._sign_in()
            return self._call(
                "object",
                "execute_kw",
                (details.database, self._user, details.api_key, model, method, list(arguments), options),
            )
        except OdooError:
            self._user = None
            raise

    def close(self) -> None:
        """Gives its connection back."""
        self._pool.clear()

    def _sign_in(self) -> int:
        details = self._details
        user = self._call("common", "authenticate", (details.database, details.login, details.api_key, {}))
        if not isinstance(user, int) or isinstance(user, bool):
            raise OdooError(State(code=StateCode.SIGN_IN))
        return user

    def _call(self, service: str, method: str, arguments: Sequence[object]) -> Any:  # noqa: ANN401 -- any JSON
        message = {
            "jsonrpc": "2.0",
            "method": "call",
            "params": {"service": service, "method": method, "args": list(arguments)},
            "id": next(self._numbers),
        }
        answer = self._post(json.dumps(message).encode())
        try:
            told = json.loads(answer)
        except ValueError as error:
            raise OdooError(State(code=StateCode.FOREIGN)) from error
        if not isinstance(told, dict) or not told.keys() & {"result", "error"}:
            raise OdooError(State(code=StateCode.FOREIGN))
        if "error" in told:
            raise OdooError(_state_of(told["error"]))
        return told["result"]

    def _post(self, body: bytes) -> bytes:
        try:
            answer = self._pool.request(
                "POST",
                f"{self._details.url}/jsonrpc",
                body=body,
                headers={"Content-Type": "application/json"},
                redirect=False,
                preload_content=False,
            )
            octets = answer.read(_MOST_BYTES + 1)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            detail = str(error)[:_DETAIL_CHARS]
            raise OdooError(State(code=StateCode.UNREACHABLE, detail=detail)) from error
        if answer.status != 200 or len(octets) > _MOST_BYTES:  # noqa: PLR2004 -- HTTP
            code = StateCode.UNREACHABLE if answer.status >= 500 else StateCode.FOREIGN  # noqa: PLR2004 -- HTTP
            raise OdooError(State(code=code, detail=f"HTTP {answer.status}"))
        self.date = _date_of(answer.headers.get("Date"))
        return octets


def _state_of(error: object) -> State:
    data = error.get("data") if isinstance(error, dict) else None
    name = str(data.get("name", "")) if isinstance(data, dict) else ""
    detail = str(data.get("message", "")) if isinstance(data, dict) else ""
    detail = " ".join(detail.split())[:_DETAIL_CHARS]
    if name.endswith("AccessError"):
        return State(code=StateCode.RIGHTS, detail=detail)
    if name.endswith("AccessDenied"):
        return State(code=StateCode.SIGN_IN, detail=detail)
    return State(code=StateCode.FOREIGN, detail=detail or name)


def _date_of(header: str | None) -> datetime | None:
    try:
        return None if header is None else parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None
