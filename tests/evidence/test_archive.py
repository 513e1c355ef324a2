"""Exports on disk: written once, read line by line, and refused when damaged."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import (
    KEYS,
    MAX_LINE_BYTES,
    RECORDS,
    ExportZip,
    encode_jwks,
    read_jwks,
    write_export,
)
from merchant_agent.evidence.verify import verify_export
from tests.evidence.synthetic import Export, Shop, busy_shop, id_of, key_of, trust_of

JWK = b'{"kty":"OKP","crv":"Ed25519","kid":"AAAAAAAAAAA.1","x":"' + b"A" * 43 + b'"}'


def written(folder: Path, export: Export) -> Path:
    path = folder / "export.zip"
    write_export(path, export.files)
    return path


def test_an_export_is_read_as_it_was_written(tmp_path: Path) -> None:
    export = busy_shop().export()
    with ExportZip(written(tmp_path, export)) as source:
        for name, lines in export.files.items():
            assert list(source.lines(name)) == lines
        verdict = verify_export(source, trust_of())
    assert verdict.trusted
    assert not verdict.violations


def test_an_export_is_never_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path, busy_shop().export())
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        write_export(path, {})
    assert path.read_bytes() == before


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    with ExportZip(written(tmp_path, Export({RECORDS: []}))) as source:
        assert list(source.lines(RECORDS)) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with ExportZip(written(tmp_path, Export({}))) as source, pytest.raises(FormatError, match=RECORDS):
        list(source.lines(RECORDS))


def test_a_line_that_is_too_long_is_refused(tmp_path: Path) -> None:
    long = b"x" * MAX_LINE_BYTES
    with ExportZip(written(tmp_path, Export({RECORDS: [b"short", long]}))) as source:
        lines = source.lines(RECORDS)
        assert next(lines) == b"short"
        with pytest.raises(FormatError):
            next(lines)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    for octets in (b"", b"no zip", b"PK\x05\x06"):
        path.write_bytes(octets)
        with pytest.raises(FormatError):
            ExportZip(path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(RECORDS, b"one\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(RECORDS, b"two\n")
    with pytest.raises(FormatError):
        ExportZip(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(RECORDS, b"one\n")
    with ExportZip(path) as source, pytest.raises(FormatError):
        list(source.lines(RECORDS))


def test_no_damage_to_the_file_crashes_the_verifier_or_passes_as_another_history(tmp_path: Path) -> None:
    shop = Shop()
    shop.rate(3, "好", prompt=shop.sale())
    shop.upload()
    octets = written(tmp_path, shop.export()).read_bytes()
    damaged = tmp_path / "damaged.zip"
    for position in range(0, len(octets), 3):
        for attempt in (
            octets[:position],
            octets[:position] + bytes([octets[position] ^ 0x11]) + octets[position + 1 :],
        ):
            damaged.write_bytes(attempt)
            try:
                with ExportZip(damaged) as source:
                    verdict = verify_export(source, trust_of())
            except FormatError:
                continue
            # What was hit says nothing: a date, an attribute, a version.
            assert (verdict.records, verdict.violations, verdict.findings) == (2, (), ())


def source_of(keys: bytes) -> Export:
    return Export({KEYS: keys.split(b"\n")})


def test_key_sets_survive() -> None:
    keys = {f"{id_of('shop')}.{epoch}": key_of(f"shop {epoch}").public for epoch in range(1, 1000)}
    assert read_jwks(source_of(encode_jwks(keys))) == keys
    assert read_jwks(source_of(encode_jwks({}))) == {}


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b'{"keys":{}}',
        b'{"keys":[' + JWK.replace(b"OKP", b"EC") + b"]}",
        b'{"keys":[' + JWK.replace(b"Ed25519", b"X25519") + b"]}",
        b'{"keys":[' + JWK.replace(b"AAAAAAAAAAA.1", b"x") + b"]}",
        b'{"keys":[' + JWK.replace(b'"kty"', b'"d":"","kty"') + b"]}",
        b'{"keys":[' + JWK + b"," + JWK + b"]}",
        b'{"keys":[' + b",\n".join([JWK] * 4097) + b"]}",
        b"\n".join([b" " * 1000] * 1100),
    ],
    ids=range(10),
)
def test_other_key_sets_are_refused(octets: bytes) -> None:
    with pytest.raises(FormatError):
        read_jwks(source_of(octets))
