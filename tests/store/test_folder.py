from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from merchant_agent.errors import StartError
from merchant_agent.store.folder import DataFolder, file_system, write_file_atomic

_HOLD = """
import sys
from pathlib import Path
from merchant_agent.store.folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
folder.lock()
print("locked", flush=True)
sys.stdin.read()
"""


def _holder(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    return process


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with _holder(tmp_path) as first:
        folder = DataFolder(tmp_path)
        with pytest.raises(StartError):
            folder.lock()
        assert first.poll() is None
        first.kill()
        first.wait()
        folder.lock()
    folder.unlock()


def test_a_second_lock_in_the_same_process_is_refused(tmp_path: Path) -> None:
    with DataFolder(tmp_path), pytest.raises(StartError):
        DataFolder(tmp_path).lock()
    with DataFolder(tmp_path):
        pass


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.lock()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as child:
        folder.unlock()
        DataFolder(tmp_path).lock()
        assert child.stdin is not None
        child.stdin.close()


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    for path in (folder.path, folder.keys, folder.backups):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("not a folder")
    with pytest.raises(StartError):
        DataFolder(path)
    assert path.read_text() == "not a folder"


def test_a_folder_in_place_of_the_lock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StartError):
        DataFolder(tmp_path).lock()


_MOUNTS = r"""
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
25 22 0:21 / /mnt rw shared:5 - ext4 /dev/vdb rw
31 25 0:45 / /mnt/shop rw,relatime shared:9 master:1 - nfs4 server:/shop rw
32 25 0:46 / /mnt/with\040blank rw - cifs //server/share rw
33 25 0:47 / /mnt/shop2 rw - fuse.sshfs user@server: rw
34 22 0:48 / /over rw - nfs server:/x rw
35 22 0:49 / /over rw - xfs /dev/vdc rw
""".strip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/mnt/data", "ext4"),
        ("/mnt/shop", "nfs4"),
        ("/mnt/shop/data/deep", "nfs4"),
        ("/mnt/shop1", "ext4"),
        ("/mnt/with blank/data", "cifs"),
        ("/mnt/shop2/data", "fuse.sshfs"),
        ("/over/data", "xfs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_and_latest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), _MOUNTS) == kind


def test_this_machines_mounts_can_be_read(tmp_path: Path) -> None:
    assert file_system(tmp_path)
    assert file_system(Path("/proc/self")) == "proc"


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = f"22 1 254:1 / / rw - ext4 /dev/vda1 rw\n31 22 0:45 / {tmp_path} rw - nfs4 server:/shop rw"
    with pytest.raises(StartError):
        DataFolder(tmp_path / "data", mountinfo=mounts)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    write_file_atomic(path, b"old")
    inode = path.stat().st_ino
    with path.open("rb") as reader:
        write_file_atomic(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino != inode
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_left_by_a_crash_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    (tmp_path / "settings.toml.new").write_bytes(b"half of somethi" * 100)
    write_file_atomic(path, b"new")
    assert path.read_bytes() == b"new"


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    (tmp_path / "settings.toml.new").mkdir()
    with pytest.raises(OSError, match="settings"):
        write_file_atomic(path, b"new")
    assert path.read_bytes() == b"old"
