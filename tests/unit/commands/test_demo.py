"""Promises of the demo's config, which is put beside its footage."""

from pathlib import Path

from faceset.commands.demo import DEMO_CONFIG, copy_config


def test_the_config_is_copied_but_nothing_that_is_there_is_replaced(tmp_path: Path) -> None:
    copy_config(tmp_path)
    origins = {path.relative_to(DEMO_CONFIG): path.read_bytes() for path in DEMO_CONFIG.rglob("*") if path.is_file()}
    copied = tmp_path / "config"
    assert {path.relative_to(copied): path.read_bytes() for path in copied.rglob("*") if path.is_file()} == origins
    (copied / "config.yaml").write_text("cluster: {}\n")
    (copied / "sources.tsv").unlink()
    copy_config(tmp_path)
    assert (copied / "config.yaml").read_text() == "cluster: {}\n"
    assert (copied / "sources.tsv").read_bytes() == origins[Path("sources.tsv")]
