"""Looking for what is left of a forgotten source or faceset: in objects, actions, records and links."""

import mmap
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from faceset.progress import Progress
from faceset.stages.stage import PER_PROJECT
from faceset.store.objects import Store
from faceset.upkeep.contents import Subject, object_paths, read_actions
from faceset.upkeep.packs import cuts_in, pack_paths
from faceset.workflow.records import is_store_link
from faceset.workflow.roots import Root, records_of

PARQUET = b"PAR1"
OF_TEXT = b"<{"
"""How the objects begin that are text: pages and JSON."""


def find_leftovers(
    store: Store, roots: Collection[Root], subject: Subject, gone: Collection[str], cuts: Collection[bytes]
) -> list[str]:
    """What there still is of `subject`, in words; nothing if it is forgotten.

    Parameters
    ----------
    store, roots
        Where to look: the store, and its roots.
    subject
        The source or faceset. Of a source, every table and page is searched for ids of its faces.
    gone
        The digests of the objects that should be no more.
    cuts
        The keys of the cut faces that should be no more.
    """
    found = []
    for path in Progress(object_paths(store), "objects scanned"):
        if path.name in gone:
            found.append(f"{path} is still there")
        elif subject[0] == "source" and _names_source(path, subject[1]):
            found.append(f"{path} names its faces")
    found += _in_packs(store, subject, cuts)
    found += _in_actions(store, subject, gone)
    for root in roots:
        found += _in_results(root, subject, gone)
    return found


def _names_source(path: Path, source: str) -> bool:
    """Whether a table or text names the source or one of its faces. Pictures and alignments do not tell whose."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        start = file.read(len(PARQUET))
        if start == PARQUET:
            return _table_names(path, source)
        if not start or start[:1] not in OF_TEXT:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return re.search(_face_pattern(source).encode(), text) is not None


def _table_names(path: Path, source: str) -> bool:
    file = pq.ParquetFile(path)
    texts = [field.name for field in file.schema_arrow if pa.types.is_string(field.type)]
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=texts)
        for name in texts:
            if pc.any(pc.match_substring_regex(table[name], _face_pattern(source))).as_py():
                return True
        if "source" in texts and pc.any(pc.equal(table["source"], source)).as_py():
            return True
    return False


def _face_pattern(source: str) -> str:
    """A face id of the source, anywhere in a text. Names have no characters but those in the bracket."""
    return rf"(?:^|[^A-Za-z0-9_.-]){re.escape(source)}/[^\s/]*_[0-9]"


def _in_packs(store: Store, subject: Subject, cuts: Collection[bytes]) -> Iterator[str]:
    for pack in pack_paths(store):
        # Another source with the same footage has cuts of the same keys.
        of_source = subject[1] == pack.parents[1].name
        if of_source if subject[0] == "source" else not cuts_in(pack).isdisjoint(cuts):
            yield f"{pack} holds its cut faces"


def _in_actions(store: Store, subject: Subject, gone: Collection[str]) -> Iterator[str]:
    named = f'"{subject[0]}":"{subject[1]}"'.encode()
    actions, damaged = read_actions(store)
    yield from (f"{path} is damaged, so what it names is not known" for path in damaged)
    for action in actions:
        # Not the digests of the user's files: a cleaned file may have been the same as what came in.
        digests = action.digests | {digest for _, digest in action.inputs}
        if named in action.path.read_bytes() or not digests.isdisjoint(gone):
            yield f"{action.path} names it"


def _in_results(root: Root, subject: Subject, gone: Collection[str]) -> Iterator[str]:
    for record in records_of(root):
        digests = {artifact.sha256 for artifact in record.action.outputs.values()}
        if subject in record.instance.items() or not digests.isdisjoint(gone):
            yield f"{record.path} is a record of it"
    for parent, folders, files in os.walk(root.path(PER_PROJECT)):
        for path in (Path(parent, name) for name in [*folders, *files]):
            if is_store_link(path) and path.readlink().name in gone:
                yield f"{path} leads to it"
