"""The members of a zip file, checked before any of them is read.

`zipfile` alone takes the last of two members with one name, makes objects of a list of any length, and unpacks whatever
it is given. Here the names must be the expected ones, the members must lie one after the other within the file, and the
sizes that they declare are limited. `zipfile` then unpacks no more than they declare.
"""

import stat
import struct
import zipfile
from collections.abc import Collection, Mapping
from typing import BinaryIO

LARGEST_DIRECTORY = 2**20  # bytes of the list of members; zipfile makes an object for every 46 of them
FREE, RATIO = 2**26, 16  # compressed members may unpack to FREE bytes plus RATIO times the bytes of the file
FLAGS = 0x80E  # that a member may have: deflate level (bits 1 and 2), sizes after the data (3), UTF-8 names (11)


def check_members(
    archive: zipfile.ZipFile, size: int, names: Collection[str], unread: Collection[str]
) -> dict[str, zipfile.ZipInfo]:
    """The members by name, without their `.npy`.

    Args:
        archive: A zip file whose end passed `check_end`.
        size: The bytes of the file.
        names: The members it must hold.
        unread: Members that it may hold.

    Raises:
        ValueError: The members are not the expected ones, are not plain, overlap, or would unpack to too much.
    """
    members = _named(archive, names, unread)
    _check_sizes(archive, members, size)
    return members


def check_end(file: BinaryIO, size: int) -> None:
    """Checks the record that ends a zip file: nothing follows it, and the list of members before it is short.

    To be called before `zipfile`, which would search for the record and first make objects of the whole list.
    """
    file.seek(max(size - 42, 0))
    tail = file.read(42)
    if len(tail) < 22 or tail[-22:-18] != b"PK\5\6":
        raise ValueError("is not an .npz file, is cut short, or goes on after its end")
    directory_size, directory_start, comment = struct.unpack("<LLH", tail[-10:])
    if comment or directory_start + directory_size != size - 22 or tail.startswith(b"PK\6\7"):
        raise ValueError("its zip directory is not where it has to be")
    if directory_size > LARGEST_DIRECTORY:
        raise ValueError(f"its zip directory has {directory_size:,} bytes; expected at most {LARGEST_DIRECTORY:,}")


def _named(archive: zipfile.ZipFile, names: Collection[str], unread: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    found = [member.orig_filename.removesuffix(".npy") for member in archive.infolist()]
    plain = all(member.orig_filename.endswith(".npy") for member in archive.infolist())
    if not plain or len(set(found)) != len(found) or not set(names) <= set(found) <= {*names, *unread}:
        raise ValueError(f"holds {quoted(found)}; expected {quoted(names)}, once each")
    return dict(zip(found, archive.infolist(), strict=True))


def quoted(names: Collection[str]) -> str:
    """Some names for a message; escaped and cut, because a file may hold any name."""
    shown = [ascii(name[:40]) for name in list(names)[:8]]
    return ", ".join(shown + ["..."] * (len(names) > 8)) or "nothing"


def _check_sizes(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], size: int) -> None:
    """Checks that members are plain, lie one after the other within the file, and unpack to no more than allowed."""
    end = 0
    for member in sorted(members.values(), key=lambda member: member.header_offset):
        _check_member(member)
        if member.header_offset < end:
            raise ValueError("its zip members overlap")
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
    if end > archive.start_dir:
        raise ValueError("a zip member reaches beyond the file's data")
    unfolded = sum(member.file_size for member in members.values())
    if unfolded > size and unfolded > FREE + RATIO * size:
        raise ValueError(
            f"{size:,} bytes would unfold to {unfolded:,}; expected at most {FREE + RATIO * size:,}."
            " If that is meant, store it uncompressed (np.savez)"
        )


def _check_member(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.flag_bits & ~FLAGS or kind not in (0, stat.S_IFREG):
        raise ValueError("a zip member is encrypted, patched, or not a plain file")
    stored = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
    if not stored and member.compress_type != zipfile.ZIP_DEFLATED:
        raise ValueError("a zip member is neither stored in full nor deflated")
