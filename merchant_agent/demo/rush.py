"""Many customers at once: the lines of a feed, shared out among a few tills and tablets."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from merchant_agent.demo.feed import Counter, Review, Thanked
from merchant_agent.errors import MerchantAgentError


class Rush:
    """Customers who come to all `counters` at once, each counter in a thread of its own."""

    def __init__(self, reviews: Iterable[Review], stopped: threading.Event) -> None:
        self._reviews: Iterator[Review] = iter(reviews)
        self._stopped = stopped
        self._threads: list[threading.Thread] = []
        # Guards the three below.
        self._lock = threading.Lock()
        self._sent = 0
        self._thanked: list[Thanked] = []
        self._failure: MerchantAgentError | None = None

    @property
    def sent(self) -> int:
        """Customers who have come to a counter so far."""
        with self._lock:
            return self._sent

    @property
    def thanked(self) -> tuple[Thanked, ...]:
        """Everybody who was thanked so far, in that order."""
        with self._lock:
            return tuple(self._thanked)

    def begin(self, counters: Iterable[Counter]) -> None:
        """Lets the customers come; returns at once."""
        for counter in counters:
            thread = threading.Thread(target=self._attend, args=(counter,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def is_over(self) -> bool:
        """Whether everybody was served.

        Raises:
            MerchantAgentError: what stopped the first counter that had to give up.
        """
        with self._lock:
            if self._failure is not None:
                raise self._failure
        return not any(thread.is_alive() for thread in self._threads)

    def join(self, timeout_s: float) -> None:
        """Waits for the counters to close, after `stopped` was set."""
        for thread in self._threads:
            thread.join(timeout_s / max(1, len(self._threads)))

    def _attend(self, counter: Counter) -> None:
        while not self._stopped.is_set():
            review = self._next()
            if review is None:
                return
            try:
                thanked = counter.serve(review)
            except MerchantAgentError as error:
                self._stopped.set()
                with self._lock:
                    self._failure = self._failure or error
                return
            if thanked is not None:
                with self._lock:
                    self._thanked.append(thanked)

    def _next(self) -> Review | None:
        with self._lock:
            review = next(self._reviews, None)
            self._sent += review is not None
        return review
