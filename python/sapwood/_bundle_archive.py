"""The archive of a bundle: a tar file that depends on nothing but its content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(path: str, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Writes the manifest, completed by sizes and hashes, and the files. The path has the old content or the new."""
    hashes = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    text = json.dumps({**manifest, "files": hashes}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    archive = _tar({"bundle.json": text.encode(), **files})
    if path.endswith((".gz", ".tgz")):
        archive = gzip.compress(archive, mtime=0)
    try:
        with tempfile.NamedTemporaryFile(dir=Path(path).absolute().parent, delete=False) as file:
            file.write(archive)
        Path(file.name).chmod(0o644)
        os.replace(file.name, path)  # noqa: PTH105 (no Path is at hand)
    except OSError as error:
        raise _core.IoError(f"can't write {path}: {error}") from None


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()
