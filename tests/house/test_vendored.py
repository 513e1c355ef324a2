"""What comes from others is what they published, with its licence."""

from __future__ import annotations

import hashlib
import tomllib

from merchant_agent.resources import static_directory

VENDOR = static_directory() / "vendor"
LIBRARIES = tomllib.loads((VENDOR / "VENDORED.toml").read_text("utf-8"))["library"]


def test_every_vendored_file_has_the_hash_that_is_written_down() -> None:
    stated = {f"{lib['folder']}/{name}": digest for lib in LIBRARIES for name, digest in lib["files"].items()}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDORED.toml"
    }
    assert found == stated


def test_every_vendored_library_states_version_licence_and_integrity() -> None:
    for lib in LIBRARIES:
        assert lib["folder"].endswith(lib["version"])
        assert lib["licence"] in {"MIT", "BSD-3-Clause", "Apache-2.0"}
        assert lib["licence_file"] in lib["files"]
        assert lib["integrity"].startswith("sha512-")
