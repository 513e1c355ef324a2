"""Vectors of single things: base64url, keys, JWS and payloads of records."""

from __future__ import annotations

from merchant_agent.evidence.epochs import sign_epoch_request, sign_head
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, link_of
from merchant_agent.evidence.octets import encode_b64u, encode_segment
from merchant_agent.evidence.stub import sign_stub
from tests.evidence.synthetic import ACKNOWLEDGING, ROOT, busy_shop, id_of, key_of
from tests.vectors.asked import epoch_request, head_answer, stub
from tests.vectors.forms import Vector, octets_vector, pinned_header, sign_raw

_P = 2**255 - 19
_ORDER_8_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_ISSUER = id_of("shop")
_RATING = 1


def base64url() -> Vector:
    good = [b"", b"\x00", b"\xff\xee", b"\xfb\xff\xbf", bytes(range(32))]
    bad = {
        "padding": "AA==",
        "one character too many": "AAAAA",
        "a bit left over in two characters": "AB",
        "a bit left over in three characters": "AAB",
        "the standard alphabet": "+/8A",
        "a line end": "AAAA\n",
        "a space within": "AA AA",
        "padding within": "AA=A",
        "a character beyond ASCII": "AAA\u0391",
    }
    return {
        "good": [{"hex": octets.hex(), "text": encode_b64u(octets)} for octets in good],
        "bad": [{"name": name, "rule": "V1", "text": text} for name, text in bad.items()],
    }


def keys() -> Vector:
    def little(y: int, *, sign: int = 0) -> str:
        return (y | sign << 255).to_bytes(32, "little").hex()

    bad = {
        "y = 0, order 4": little(0),
        "y = 0, order 4, other sign": little(0, sign=1),
        "y = 1, the neutral point": little(1),
        "y = 1 with a sign, not canonical": little(1, sign=1),
        "y = -1, order 2": little(_P - 1),
        "order 8": little(_ORDER_8_Y),
        "order 8, other sign": little(_ORDER_8_Y, sign=1),
        "order 8, negative y": little(_P - _ORDER_8_Y),
        "order 8, negative y, other sign": little(_P - _ORDER_8_Y, sign=1),
        "y = p, not canonical": little(_P),
        "y = p + 1, not canonical": little(_P + 1),
        "y = 2^255 - 1, not canonical": little(2**255 - 1),
        "y = 2, no point of the curve": little(2),
        "31 octets": "11" * 31,
        "33 octets": "11" * 33,
    }
    return {
        "good": [{"public": key_of(name).public.hex()} for name in ("root", "shop 1")],
        "bad": [{"name": name, "rule": "V3", "public": public} for name, public in bad.items()],
    }


def jws() -> Vector:
    shop = busy_shop()
    octets = {
        Typ.RECORD: shop.records[_RATING],
        Typ.GRANT: shop.grants[0],
        Typ.BATCH: shop.batches[0],
        Typ.ACK: shop.acks[0],
        Typ.EPOCH: sign_epoch_request(key_of("shop 2"), epoch_request()),
        Typ.HEAD: sign_head(key_of(ACKNOWLEDGING), id_of(ACKNOWLEDGING), 1, head_answer()),
        Typ.STUB: sign_stub(key_of("shop 1"), stub()),
    }
    signers = {
        Typ.RECORD: "shop 1",
        Typ.GRANT: ROOT,
        Typ.BATCH: "shop 1",
        Typ.ACK: ACKNOWLEDGING,
        Typ.EPOCH: "shop 2",
        Typ.HEAD: ACKNOWLEDGING,
        Typ.STUB: "shop 1",
    }
    good: list[Vector] = [
        {
            "typ": typ.value,
            "public": key_of(signers[typ]).public.hex(),
            "octets": text.decode(),
            "link": link_of(text),
            "leaf": encode_b64u(leaf_hash(text)),
        }
        for typ, text in octets.items()
    ]
    bad = [
        {"name": name, "rule": rule, "typ": "record1+jws", **octets_vector(text)}
        for name, rule, text in [*_bad_headers(octets[Typ.RECORD]), *_bad_segments(octets[Typ.RECORD])]
    ]
    return {"public": key_of("shop 1").public.hex(), "good": good, "bad": bad}


def _bad_headers(good: bytes) -> list[tuple[str, str, bytes]]:
    payload = decode_jws(good, Typ.RECORD).payload
    pinned = pinned_header(Typ.RECORD, _ISSUER, 1)
    headers = {
        "alg none": pinned.replace(b'"Ed25519"', b'"none"'),
        "alg EdDSA": pinned.replace(b'"Ed25519"', b'"EdDSA"'),
        "alg HS256": pinned.replace(b'"Ed25519"', b'"HS256"'),
        "crit": pinned.replace(b"}", b',"crit":["exp"]}'),
        "b64 false": pinned.replace(b'"alg"', b'"b64":false,"alg"'),
        "one more member": pinned.replace(b"}", b',"x":1}'),
        "a member twice": pinned.replace(b"}", b',"alg":"Ed25519"}'),
        "members in another order": b'{"typ":"record1+jws","alg":"Ed25519","kid":"%s.1"}' % _ISSUER.encode(),
        "a space": pinned.replace(b",", b", ", 1),
        "an escaped letter": pinned.replace(b"alg", b"\\u0061lg"),
        "another version": pinned.replace(b"record1", b"record2"),
        "another typ": pinned.replace(b"record1", b"grant1"),
        "epoch 0": pinned.replace(b".1", b".0"),
        "epoch 65536": pinned.replace(b".1", b".65536"),
        "epoch with a leading zero": pinned.replace(b".1", b".01"),
        "an issuer with bits left over": pinned.replace(_ISSUER.encode(), b"AAAAAAAAAAB"),
        "a line end behind": pinned + b"\n",
        "an empty header": b"",
        "a header of 200 bytes": pinned.replace(b"}", b" " * 130 + b"}"),
    }
    return [(name, "V2", sign_raw(key_of("shop 1"), header, payload)) for name, header in headers.items()]


def _bad_segments(good: bytes) -> list[tuple[str, str, bytes]]:
    header, payload, signature = good.split(b".")
    other = sign_raw(key_of("other"), pinned_header(Typ.RECORD, _ISSUER, 1), b"{}").split(b".")[2]
    long = sign_raw(key_of("shop 1"), pinned_header(Typ.RECORD, _ISSUER, 1), b"x" * 16_385)
    last = signature[-1:]
    left_over = {b"A": b"B", b"Q": b"R", b"g": b"h", b"w": b"x"}[last]
    return [
        ("no octets", "V1", b""),
        ("two segments", "V1", header + b"." + payload),
        ("four segments", "V1", good + b"."),
        ("a line end behind", "V1", good + b"\n"),
        ("a space before", "V1", b" " + good),
        ("padding", "V1", good + b"=="),
        ("a byte order mark before", "V1", b"\xef\xbb\xbf" + good),
        ("bits left over in the signature", "V1", good[:-1] + left_over),
        ("a signature of 63 bytes", "V1", b".".join([header, payload, signature[:-2]])),
        ("no signature", "V1", header + b"." + payload + b"."),
        ("a payload of 16,385 bytes", "V1", long),
        ("the header's base64url with a bit left over", "V1", b".".join([b"AB", payload, signature])),
        ("the signature of another key", "V3", b".".join([header, payload, other])),
        ("another payload", "V3", b".".join([header, encode_segment(b"{}"), signature])),
    ]


def records() -> Vector:
    shop = busy_shop()
    payloads = [decode_jws(octets, Typ.RECORD).payload for octets in shop.records]
    prompt, rating, lapse, complaint = payloads[0], payloads[1], payloads[7], payloads[8]
    bad = {
        **_bad_json(prompt, rating),
        **_bad_values(prompt, rating),
        **_bad_sense(prompt, rating, lapse, complaint),
    }
    return {
        "good": [octets_vector(payload) for payload in payloads],
        "bad": [{"name": name, "rule": "V1", **octets_vector(text)} for name, text in bad.items()],
    }


def _bad_json(prompt: bytes, rating: bytes) -> dict[str, bytes]:
    return {
        "no octets": b"",
        "no object": b"[]",
        "a byte order mark": b"\xef\xbb\xbf" + prompt,
        "a line end behind": prompt + b"\n",
        "a second value behind": prompt + b"{}",
        "a space before": b" " + prompt,
        "a space within": prompt.replace(b",", b", ", 1),
        "a space in the body": prompt.replace(b'"till":', b'"till": '),
        "a member twice": prompt.replace(b'"sale"', b'"till":"1","sale"'),
        "a member twice, the other value last": prompt[:-1] + b',"kind":"lapse"}',
        "the body twice": prompt.replace(b'"_sd":', b'"body":{},"_sd":'),
        "two members exchanged": prompt.replace(b'"epoch":1,"seq":0', b'"seq":0,"epoch":1'),
        "a member missing": prompt.replace(b',"anchor":null', b""),
        "a member too many": prompt.replace(b'"anchor"', b'"x":null,"anchor"'),
        "a member of the body too many": prompt.replace(b'"till"', b'"x":null,"till"'),
        "a needless escape": prompt.replace(b'"kind"', b'"k\\u0069nd"'),
        "a needless escape in the body": prompt.replace(b'"till":"1"', b'"till":"\\u0031"'),
        "an escaped solidus": prompt.replace(b'"till":"1"', b'"till":"\\/"'),
        "an escape in capitals": prompt.replace(b'"till":"1"', b'"till":"\\u001F"'),
        "a long escape": prompt.replace(b'"till":"1"', b'"till":"\\u000a"'),
        "an escaped character beyond ASCII": prompt.replace(b'"till":"1"', b'"till":"\\u6536"'),
        "a lone surrogate, escaped": prompt.replace(b'"till":"1"', b'"till":"\\ud800"'),
        "a lone surrogate": prompt.replace(b'"till":"1"', b'"till":"\xed\xa0\x80"'),
        "no UTF-8": prompt.replace(b'"till":"1"', b'"till":"\xff"'),
        "an overlong form": prompt.replace(b'"till":"1"', b'"till":"\xc0\xb1"'),
        "a control character": prompt.replace(b'"till":"1"', b'"till":"\x01"'),
        "a fraction": rating.replace(b'"level":3', b'"level":3.0'),
        "an exponent": rating.replace(b'"level":3', b'"level":3e0'),
        "a leading zero": rating.replace(b'"level":3', b'"level":03'),
        "minus zero": prompt.replace(b'"seq":0', b'"seq":-0'),
        "NaN": rating.replace(b'"level":3', b'"level":NaN'),
        "infinity": rating.replace(b'"level":3', b'"level":Infinity'),
        "2^53 + 1": rating.replace(b'"dwell_ms":2100', b'"dwell_ms":9007199254740993'),
        "a number as a string": rating.replace(b'"level":3', b'"level":"3"'),
        "a boolean for a number": rating.replace(b'"level":3', b'"level":true'),
        "a number for a boolean": prompt.replace(b'"asks":true', b'"asks":1'),
    }


def _bad_values(prompt: bytes, rating: bytes) -> dict[str, bytes]:
    issuer = _ISSUER.encode()
    return {
        "level 0": rating.replace(b'"level":3', b'"level":0'),
        "level 6": rating.replace(b'"level":3', b'"level":6'),
        "epoch 0": prompt.replace(b'"epoch":1', b'"epoch":0'),
        "epoch 65536": prompt.replace(b'"epoch":1', b'"epoch":65536'),
        "seq -1": prompt.replace(b'"seq":0', b'"seq":-1'),
        "seq 2^32": prompt.replace(b'"seq":0', b'"seq":4294967296'),
        "an issuer of 10 characters": prompt.replace(issuer, issuer[:10]),
        "an issuer with bits left over": prompt.replace(issuer, issuer[:10] + b"B"),
        "an issuer with a line end": prompt.replace(issuer, issuer + b"\\n"),
        "an unknown kind": prompt.replace(b'"prompt"', b'"praise"', 1),
        "another kind's body": prompt.replace(b'"kind":"prompt"', b'"kind":"lapse"'),
        "an unknown source": prompt.replace(b'"http"', b'"mail"'),
        "a till of 65 characters": prompt.replace(b'"till":"1"', b'"till":"%s"' % (b"1" * 65)),
        "a UUID of version 4": prompt.replace(b"-7000-", b"-4000-"),
        "a UUID in capitals": prompt.replace(b"019e4358", b"019E4358"),
        "a time without offset": prompt.replace(b"+08:00", b""),
        "a time in Z": prompt.replace(b"+08:00", b"Z"),
        "a time at -00:00": prompt.replace(b"+08:00", b"-00:00"),
        "a time without milliseconds": prompt.replace(b".000+", b"+"),
        "a day that does not exist": prompt.replace(b"2026-05-20", b"2026-02-29"),
        "a leap second": prompt.replace(b"12:00:01", b"12:00:60"),
        "an anchor": prompt.replace(b'"anchor":null', b'"anchor":{}'),
        "another digest algorithm": prompt.replace(b'"sha-256"', b'"sha-512"'),
        "four counts of ratings": prompt.replace(b"[0,0,0,0,0]", b"[0,0,0,0]"),
        "a negative count": prompt.replace(b'"returns":0', b'"returns":-1'),
        "a code with a space": rating.replace(b'"lang":"zh"', b'"lang":"z h"'),
        "33 tags": rating.replace(b'"tags":[]', b'"tags":[%s]' % _codes(33)),
        "17 aspects": rating.replace(b'"aspects":[]', b'"aspects":[%s]' % _aspects(range(17))),
        "more than 16,384 bytes": rating.replace(b'"tags":[]', b'"tags":["%s"]' % (b"x" * 16_384)),
    }


def _bad_sense(prompt: bytes, rating: bytes, lapse: bytes, complaint: bytes) -> dict[str, bytes]:
    about = b'"prompt":{"issuer":"%s","epoch":1,"seq":0}' % _ISSUER.encode()
    digests = complaint.split(b'"_sd":[')[1].split(b"]")[0].split(b",")
    return {
        "a tag twice": rating.replace(b'"tags":[]', b'"tags":["a","a"]'),
        "an aspect twice": rating.replace(b'"aspects":[]', b'"aspects":[%s]' % _aspects([1, 1])),
        "a category twice": complaint.replace(b'["quality"]', b'["quality","quality"]'),
        "a remedy twice": complaint.replace(b'["refund"]', b'["refund","refund"]'),
        "a prompt about a prompt": prompt.replace(b'"prompt":null', about),
        "a lapse about nothing": lapse.replace(_about_of(lapse), b'"prompt":null'),
        "a rating about itself": rating.replace(about, about.replace(b'"seq":0', b'"seq":1')),
        "a rating about a later place": rating.replace(about, about.replace(b'"seq":0', b'"seq":2')),
        "a digest without an erasable member": prompt.replace(b'"_sd":[]', b'"_sd":[%s]' % digests[0]),
        "two digests for one erasable member": rating.replace(
            b'"_sd":[%s]' % rating.split(b'"_sd":[')[1].split(b"]")[0],
            b'"_sd":[%s,%s]' % (digests[0], digests[1]),
        ),
        "digests not in order": complaint.replace(b",".join(digests), b",".join(reversed(digests))),
        "a digest twice": complaint.replace(b",".join(digests), b",".join([digests[0], digests[0]])),
    }


def _about_of(payload: bytes) -> bytes:
    start = payload.index(b'"prompt":{')
    return payload[start : payload.index(b"}", start) + 1]


def _codes(count: int) -> bytes:
    return b",".join(b'"t%d"' % number for number in range(count))


def _aspects(numbers: range | list[int]) -> bytes:
    return b",".join(b'{"aspect":"a%d","level":3}' % number for number in numbers)
