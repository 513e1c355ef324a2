"""The edge to the network: every request ends in time, with an answer or the lack of one."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from merchant_agent.errors import SettingsError
from merchant_agent.terminal.upload.client import MAX_ANSWER_BYTES, Answered, Client, NoAnswer
from tests.upstream import Cut, Drip, Reply, Silence, Upstream


@pytest.fixture
def hasty() -> Iterator[Client]:
    """A client that loses its patience soon."""
    client = Client(read_timeout_s=0.3, deadline_s=0.6)
    yield client
    client.release()


def _post(client: Client, url: str) -> Answered | NoAnswer:
    return client.post(f"{url}/x", b"body", {"Content-Type": "text/plain"})


def test_an_answer_comes_back_whole(client: Client, upstream: Upstream) -> None:
    upstream.script(Reply(status=418, body=b"tea", headers={"X-Pot": "brown"}))
    answer = _post(client, upstream.url)
    assert isinstance(answer, Answered)
    assert (answer.status, answer.body, answer.headers["x-pot"]) == (418, b"tea", "brown")
    assert upstream.requests[0].body == b"body"


def test_connections_are_used_again(client: Client, upstream: Upstream) -> None:
    upstream.script(*[Reply(status=200)] * 3)
    for _ in range(3):
        _post(client, upstream.url)
    assert {request.connection for request in upstream.requests} == {1}


def test_a_redirect_is_not_followed(client: Client, upstream: Upstream) -> None:
    upstream.script(Reply(status=307, headers={"Location": f"{upstream.url}/elsewhere"}))
    answer = _post(client, upstream.url)
    assert isinstance(answer, Answered)
    assert answer.status == 307


def test_a_body_is_read_up_to_its_bound(client: Client, upstream: Upstream) -> None:
    upstream.script(Reply(status=200, body=b"x" * (5 * MAX_ANSWER_BYTES)), Reply(status=200))
    answer = _post(client, upstream.url)
    assert isinstance(answer, Answered)
    assert len(answer.body) == MAX_ANSWER_BYTES
    assert isinstance(_post(client, upstream.url), Answered)


def test_a_compressed_answer_is_not_blown_up(client: Client, upstream: Upstream) -> None:
    packed = b"\x1f\x8b\x08not really"
    upstream.script(Reply(status=200, body=packed, headers={"Content-Encoding": "gzip"}))
    answer = _post(client, upstream.url)
    assert isinstance(answer, Answered)
    assert answer.body == packed


@pytest.mark.parametrize(
    "step",
    [
        Silence(),
        Drip(head=b"HTTP/1.1 200 OK\r\nX-Slow: "),
        Drip(head=b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"),
        Drip(head=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n"),
    ],
    ids=["silence", "dripping head", "dripping body", "dripping chunk"],
)
def test_a_server_that_will_not_finish_is_given_up(hasty: Client, upstream: Upstream, step: Drip) -> None:
    upstream.script(step)
    began = time.monotonic()
    assert isinstance(_post(hasty, upstream.url), NoAnswer)
    assert time.monotonic() - began < 3


def test_after_a_cut_the_next_request_connects_anew(client: Client, upstream: Upstream) -> None:
    upstream.script(Reply(status=200), Cut(), Reply(status=200))
    assert isinstance(_post(client, upstream.url), Answered)
    assert isinstance(_post(client, upstream.url), NoAnswer)
    assert isinstance(_post(client, upstream.url), Answered)


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00" * 50,
        b"HTTP/1.1 200 OK\r\n" + b"A" * 70_000,
    ],
)
def test_something_that_is_no_http_is_no_answer(client: Client, upstream: Upstream, garbage: bytes) -> None:
    upstream.script(Cut(after=garbage))
    assert isinstance(_post(client, upstream.url), NoAnswer)


def test_nobody_listening_is_no_answer(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert _post(client, f"http://127.0.0.1:{port}") == NoAnswer(detail="no connection")


def test_plain_http_where_tls_is_expected_is_no_answer(client: Client, upstream: Upstream) -> None:
    answer = _post(client, upstream.url.replace("http:", "https:"))
    assert answer == NoAnswer(detail="no secure connection: the certificate is not trusted")


def test_a_name_that_nobody_knows_is_no_answer(client: Client) -> None:
    assert _post(client, "http://central.invalid") == NoAnswer(detail="the name is not known")


def test_closing_ends_a_request_that_is_under_way(upstream: Upstream) -> None:
    client = Client()
    upstream.script(Silence())

    def close_once_heard() -> None:
        upstream.heard.wait(5)
        client.close()

    closer = threading.Thread(target=close_once_heard)
    closer.start()
    began = time.monotonic()
    assert isinstance(_post(client, upstream.url), NoAnswer)
    assert time.monotonic() - began < 3
    closer.join()
    assert _post(client, upstream.url) == NoAnswer(detail="stopped")
    client.release()


def test_a_proxy_gets_the_whole_address_and_its_password(upstream: Upstream) -> None:
    client = Client(proxy=upstream.url.replace("http://", "http://shop:secret@"))
    upstream.script(Reply(status=200))
    assert isinstance(_post(client, "http://central.invalid"), Answered)
    assert upstream.requests[0].path == "http://central.invalid/x"
    assert upstream.requests[0].headers["proxy-authorization"] == "Basic c2hvcDpzZWNyZXQ="
    client.release()


def test_no_proxy_comes_from_the_environment(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    upstream.script(Reply(status=200))
    assert isinstance(_post(client, upstream.url), Answered)


def test_an_authority_of_the_shops_own_is_believed(tmp_path: Path) -> None:
    tls = _certified(tmp_path)
    client = Client(ca_file=str(tmp_path / "ca.pem"))
    with Upstream(tls) as upstream:
        upstream.script(Reply(status=200, body=b"safe"), Reply(status=200))
        answer = _post(client, upstream.url)
        assert isinstance(answer, Answered)
        assert answer.body == b"safe"
        _post(client, upstream.url)
        assert {request.connection for request in upstream.requests} == {1}
        client.release()


def test_an_authority_that_nobody_named_is_not_believed(tmp_path: Path, client: Client) -> None:
    with Upstream(_certified(tmp_path)) as upstream:
        answer = _post(client, upstream.url)
    assert answer == NoAnswer(detail="no secure connection: the certificate is not trusted")


def test_closing_ends_a_secure_request_too(tmp_path: Path) -> None:
    tls = _certified(tmp_path)
    client = Client(ca_file=str(tmp_path / "ca.pem"))
    with Upstream(tls) as upstream:
        upstream.script(Silence())
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(_post, client, upstream.url)
            assert upstream.heard.wait(5)
            client.close()
            assert isinstance(asked.result(), NoAnswer)
        assert time.monotonic() - began < 3
        client.release()


def _certified(folder: Path) -> ssl.SSLContext:
    """A server for 127.0.0.1 whose certificate signs itself; the authority is `ca.pem` in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "central of a test")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(secret)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return tls


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_certificate_authority_that_is_none_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError):
        Client(ca_file=str(path))
