"""The text format of Prometheus."""

from __future__ import annotations

import pytest

from merchant_agent.web.metrics import Metric, exposition

ONE = Metric(name="one", kind="gauge", doc="A figure\nwith \\ in it.")
MANY = Metric(name="many", kind="counter", doc="By what.", label="what")


def test_each_figure_stands_with_its_help_and_type() -> None:
    assert exposition([ONE, MANY], {"one": 1.5, "many": {"a": 1, 'b"\\\n': 2}}) == (
        "# HELP one A figure\\nwith \\\\ in it.\n# TYPE one gauge\none 1.5\n"
        '# HELP many By what.\n# TYPE many counter\nmany{what="a"} 1\nmany{what="b\\"\\\\\\n"} 2\n'
    )


def test_what_nobody_knows_is_left_out() -> None:
    assert exposition([ONE, MANY], {"one": None, "many": {}}) == (
        "# HELP many By what.\n# TYPE many counter\n"
    )


def test_a_figure_that_is_not_documented_is_refused() -> None:
    with pytest.raises(LookupError):
        exposition([ONE], {"two": 2})
