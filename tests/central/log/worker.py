"""A central in a process of its own whose log grows until it is killed, or that ends itself after one step.

Usage: worker DATA DATABASE LOCK STEP, with STEP `for-ever` or a method of the sequencer. Each
checkpoint that was published is told as a line of base64.
"""

from __future__ import annotations

import base64
import itertools
import os
import signal
import sys
from pathlib import Path

from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import open_central
from merchant_agent.clock import SystemClock
from merchant_agent.settings import CentralSettings
from tests.central.log.looking import logged, put


def main() -> None:
    data, database, lock, step = sys.argv[1:]
    settings = CentralSettings(data=Path(data), database=database, checkpoint_lock=lock)
    central = open_central(settings, SystemClock())
    sequencer = Sequencer(central)
    if step != "for-ever":
        getattr(sequencer, step)()
        os.kill(os.getpid(), signal.SIGKILL)
    for begin in itertools.count(len(logged(central)) + 1_000 * os.getpid(), 7):
        put(central, 7, begin=begin)
        newest = sequencer.run().newest
        assert newest is not None
        sys.stdout.write(base64.b64encode(newest.octets).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
