"""SQL that is written once, for the few statements that every upload runs.

Building these with peewee takes longer than the database takes to run them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import peewee


class Statement:
    """SQL that both databases know, with `?` where each parameter goes; values are as they are kept."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, *parameters: object) -> peewee.BaseQuery:
        """The query with these parameters; its rows are tuples."""
        return _Written(self._text, parameters).tuples()


class _Written(peewee.RawQuery):
    """A written query, in the marks of the database that runs it."""

    def __init__(self, text: str, parameters: tuple[object, ...]) -> None:
        super().__init__(text, parameters)
        self._text = text
        self._parameters = parameters

    def __sql__(self, ctx: Any) -> Any:  # noqa: ANN401 -- peewee's own
        ctx.literal(_marked(self._text, ctx.state.param))
        for parameter in self._parameters:
            ctx.value(parameter, add_param=False)
        return ctx


@cache
def _marked(text: str, mark: str) -> str:
    return text.replace("?", mark)
