"""Vectors of complaints for the station alone: sealed whole."""

from __future__ import annotations

import base64

from merchant_agent.evidence.octets import encode_json
from merchant_agent.evidence.seal import Confided
from tests.evidence.synthetic import id_of, octets_of, uuid_of
from tests.vectors.forms import Vector

_SHOP = id_of("shop")
CONFIDED = Confided(
    categories=("metrology",),
    remedies=("refund", "apology"),
    comment="少了二两，店员说「不服去告」",
    order="087",
    occurred_at="2026-05-20T12:00",
    amount="64.00 CNY",
    contact="13800138000",
    consents=("authority",),
    notice="2026-1",
)
# Sealing is different each time: this was sealed once, for the key of the name "sealing".
_SEALED = base64.b64decode(
    "f6N+3Py5nDU2tEwKSzfpPLt7m/2nG8Ms/CIZS0GAQmyHRIgupj3M5ZfrQo3EMkIZ/N6uNY1rYRbz8i6PhuUuggvwH6iUrtHhtQD9"
    "tSuvtBm4ZKKGo6dMXIhbEQxRwYNaPiSFef5vcQVUmwKZSNBEr7/pGV9JecM9ijkJl1RetrixquhnX/nYhs/QomwMe+xe5hDIvUV1"
    "ZjRZXJLr9JoWMVKbARksWNBbLKpNJt6yEtDgfcRH53SN4DQfTItiD5NryHoRFfOs9ExhhGQO8NnNhvmm3lqJNABIE4qtO6gOSKuj"
    "BT+SjYpNumiJ4JcNlxrPpc28ooOmmE8bdHj9FT0yVOXQgpqfOOC2c7gd+fxi3Fml4qTdZoJ2mFXyWblLXKf72amaZ2CqhzLw5JSz"
    "1To1C5WBDXqfrDZplrzeH36ijF/++oLOU2sli92yJe8s7VEuT8rHMx6KRodlNd0Q4YXVeb++b2S9qzc+iwmIPKIrNsJGfjV9H5CB"
    "XXMAi7IgH0j8o4ozsQC8CB33o4BGuW8deY6TARy0jDY2OL0E0zrdHSVeJTGG84foNI4EYYlwDzArt7JklLzvl2MOjaSquaS4/D8D"
    "G0cK5DfQd5g6ZYy6VVQGTGJbuNWBuVMhWoFQNq+BgbxUnDNCGH1qB+mtsFw9XGNo0d+wQn43czZhwbto1s/O/fs2ZkRSpXSI/5C/"
    "eVr2mhCkDeaL2D5iwUXBALlyGBNBRWSCDroAMe20onrKbVh7OA860Fb5jVee4EpuC1D2O072NymysSMyfZ+xde6uwsdseJks+8lk"
    "F/jl+RoHWLkGHnjpRMaieBlFbIyejRjKVHunL+MSZgDSrt8swstvQffoXdSgkxmIgWfQFOSaKdrkhZZ9QBWGied+KU/OfhQCvT3T"
    "lk9jRHWvQlsnOtvHT0Erla47AZpTqq6qsNvksUagUCNuMLHOsaDJw4HdozetZv6E1tbnVb6w86iWvD3O2iIc0hKQF0HYmfR3K0s8"
    "6VwHZr1VIhbiarOfXH5vvA4nEkEnWiuUoR07cvQ0ZrC8rdG88SL+nKKkwhCq1ohFGpiK/544WODSiI/jDozxf1bk//LwenzEhozU"
    "kx/Yp4RTNAAs/aAlue9topS3zTyQpWSvvvXML3wyhIuhMQvSCw+JNJbkx8HoGRYiS9f4oBl+XDikVH2IIAu9xH5gpokvAZoGnZi4"
    "HLpPdSJgIT6GV+53bPL/KgBWjEkX/3ShcVWQ2VZgI/D3eXCI1n3VOVkKEfuMn+0oE82uV/kn12oIJIT8p99PUls5TPWwMoIOrOAo"
    "SGsAndA9PTOMbUtzwtFGBsbkTXoTsMIOM5bNDm5VFYtoSYpjP+Lgh7oUTkvxBuuuAK/Rl1mQD0U5KquMJhp0mrYVYbEmsYO5VPug"
    "fo0aGjqZRpJz7M7xv7rR+5+Dl1UFtw=="
)


def confided() -> Vector:
    return {
        "private": octets_of("sealing", 32).hex(),
        "good": [
            {
                "issuer": _SHOP,
                "id": uuid_of(9),
                "text": encode_json(CONFIDED).decode(),
                "hex": _SEALED.hex(),
            }
        ],
        "bad": [
            {"name": name, "rule": "V10", "issuer": issuer, "id": record_id, "hex": sealed.hex()}
            for name, issuer, record_id, sealed in [
                ("of another issuer", id_of("other"), uuid_of(9), _SEALED),
                ("of another record", _SHOP, uuid_of(10), _SEALED),
                ("another byte", _SHOP, uuid_of(9), _SEALED[:-1] + bytes([_SEALED[-1] ^ 1])),
                ("one byte short", _SHOP, uuid_of(9), _SEALED[:-1]),
                ("an encapsulated key of small order", _SHOP, uuid_of(9), bytes(32) + _SEALED[32:]),
                ("as long as a contact", _SHOP, uuid_of(9), _SEALED[:59]),
                ("no octets", _SHOP, uuid_of(9), b""),
            ]
        ],
    }
