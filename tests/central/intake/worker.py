"""A central in a process of its own that takes uploads until it is killed; tells each accepted head."""

from __future__ import annotations

import sys
from pathlib import Path

from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import open_central
from merchant_agent.clock import SystemClock
from merchant_agent.settings import CentralSettings
from tests.central.conftest import NOODLES
from tests.central.sender import enrol_sender


def main() -> None:
    data, database = sys.argv[1:]
    central = open_central(CentralSettings(data=Path(data), database=database), SystemClock())
    sender = enrol_sender(central, add_merchant(central, NOODLES, who="officer"))
    while True:
        first = len(sender.sent)
        sender.rate(sender.ask(), comment="还行")
        ack = sender.upload_all(central, first)
        sys.stdout.write(f"{sender.issuer} {ack.head.seq}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
