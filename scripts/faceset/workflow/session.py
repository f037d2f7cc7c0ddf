"""What happens around a run of Snakemake: before it plans, and after it ended.

Snakemake has no hook of its own for these. What is here hangs where it does for these reasons:

- Priming hangs on the input functions: they are the first that is called once it is clear which command runs, and the
  last before Snakemake looks at files. `onstart:` comes after planning.
- It is done once a process and root, whatever the number of rules; a process may hold several instances of this
  workflow, imported as modules under several prefixes.
- Locks belong to the process, since a second `flock` of the same file in one process is refused.
- The summary hangs on the end of the process, since `onsuccess:` is passed over where there was nothing to do, and
  handlers in imported modules never run.
- Only the main process does any of this: jobs that parse the workflow again must neither lock nor print.
"""

import atexit
import contextlib
import fcntl
import os
import sys
import time
from pathlib import Path
from typing import Final, TextIO

from faceset.errors import FacesetError
from faceset.project.project import Project

LOCK: Final = Path(".snakemake/faceset.lock")
SNAKEMAKE_LOCKS: Final = Path(".snakemake/locks")


class Session:
    """All instances of this workflow in one process of Snakemake."""

    def __init__(self) -> None:
        self._started = time.time()
        self._projects: dict[str, Project] = {}
        self._held = contextlib.ExitStack()  # until the process ends, however it ends
        self._folder = Path()
        self._lock: TextIO | None = None
        self._failed = False

    def begin(self, project: Project, dry_run: bool) -> None:
        """Prime a project in the current folder, or say what a run would find; once for each prefix.

        Raises FacesetError for input that no run could use, where another run is at work in this folder, and for a
        prefix that leads to where another does.
        """
        if project.prefix in self._projects:
            return
        self._refuse_the_same_folder(project)
        first = not self._projects
        self._projects[project.prefix] = project
        if dry_run:
            from faceset.workflow.priming import forecast

            atexit.register(print, forecast(project), flush=True)
            return
        from faceset.store.locks import shared
        from faceset.workflow.migration import bring_up_to_date
        from faceset.workflow.priming import prime

        if first:
            self._claim_folder()
            self._folder = Path.cwd()
            atexit.register(self._end)
        try:
            if bring_up_to_date(project.store):
                print(f"faceset: {project.store.root}: brought up to date; all is recomputed once.", file=sys.stderr)
            self._held.enter_context(shared(project.store.root))
            prime(project)
        except BaseException:
            self.fail()
            raise

    def _refuse_the_same_folder(self, project: Project) -> None:
        results = project.path("results").resolve()
        for other in self._projects.values():
            if other.path("results").resolve() == results:
                self.fail()
                raise FacesetError(
                    f"the prefixes {other.prefix!r} and {project.prefix!r} name one folder of results, {results}. Give "
                    "each import of Faceset a folder of its own."
                )

    def _claim_folder(self) -> None:
        """Keep other runs out of this folder, from before priming: Snakemake's own lock comes only after planning."""
        LOCK.parent.mkdir(exist_ok=True)
        self._lock = LOCK.open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FacesetError("another run is at work in this folder. Wait for it to end.") from None
        if list(SNAKEMAKE_LOCKS.glob("*")):
            raise FacesetError("a run in this folder was killed. Run this command once with --unlock, then again.")

    def _end(self) -> None:
        """Say what there is now; or, if jobs failed, why."""
        from faceset.workflow.rule_jobs import failures_since
        from faceset.workflow.summary import summarise

        with contextlib.chdir(self._folder):
            for project in self._projects.values():
                failures = failures_since(project.path("logs"), self._started)
                for failure in failures:
                    print(failure.sentence, file=sys.stderr)
                if failures or self._failed:
                    continue
                try:
                    print(summarise(project), flush=True)
                except FacesetError as error:
                    print(f"faceset: {error}", file=sys.stderr)

    def fail(self) -> None:
        """Say no summary in the end: the run failed."""
        self._failed = True


def check_folder() -> None:
    """Raise FacesetError if the current folder cannot be written."""
    if not os.access(".", os.W_OK):
        raise FacesetError(f"{Path.cwd()}: cannot be written, and results, store and logs go there.")


SESSION: Final = Session()
"""That of this process, whatever the number of instances of the workflow in it."""
