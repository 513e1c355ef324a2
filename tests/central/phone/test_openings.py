"""A rating whose slip somebody opened is marked so, also where the slip is over what was said after it."""

from __future__ import annotations

from merchant_agent.central.openings import with_opened_slip
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Rating
from tests.central.phone.customers import Visitor, phone
from tests.central.rows import rows


def opened(central: Central) -> list[int]:
    with central.store.read() as reader:
        return sorted(seq for *_, seq in with_opened_slip(reader, rows(central, Rating)))


def test_only_what_was_opened_is_marked(central: Central, visitor: Visitor) -> None:
    seen, unseen = visitor.rate(), visitor.rate()
    slip = visitor.slip(seen)
    visitor.upload()
    assert opened(central) == []
    phone(central).read(f"/s/{slip}")
    assert opened(central) == [seen.seq]
    assert unseen.seq not in opened(central)


def test_a_slip_over_the_complaint_after_it_is_the_rating_s_too(central: Central, visitor: Visitor) -> None:
    prompt = visitor.sender.ask()
    rated = visitor.rate(prompt)
    other = visitor.rate()
    complained = visitor.sender.complain(prompt, comment="少了二两")
    slip = visitor.slip(complained, complaint=True)
    visitor.upload()
    phone(central).read(f"/s/{slip}")
    assert opened(central) == [rated.seq]
    assert other.seq != rated.seq


def test_a_slip_that_contradicts_its_record_marks_nothing(central: Central, visitor: Visitor) -> None:
    slip = visitor.slip(visitor.rate(level=5), level=1)
    visitor.upload()
    phone(central).read(f"/s/{slip}")
    visitor.sweep()
    assert opened(central) == []
