"""Which instances of stages there are in a project, and which of them read which."""

from collections.abc import Iterator
from dataclasses import dataclass

from faceset.project.project import Project
from faceset.stages.stage import Instance, Output, Stage
from faceset.stages.table import STAGES


@dataclass(frozen=True)
class Read:
    """One artifact that an instance reads: the output of an instance of another stage."""

    output: Output
    instance: Instance

    @property
    def record(self) -> str:
        """The path of the record that names it."""
        return self.output.stage.record.format(**self.instance)


def instances_of(project: Project, stage: Stage, fixed: Instance | None = None) -> Iterator[Instance]:
    """Every instance of the stage in a fixed order, or those of them that belong to `fixed`."""
    given = fixed or {}
    facesets = [given["faceset"]] if "faceset" in given else list(project.config.facesets)
    for faceset in facesets if "faceset" in stage.wildcards else [given.get("faceset")]:
        of_faceset = project.faceset_sources(faceset) if faceset else list(project.sources)
        sources = [given["source"]] if "source" in given else of_faceset
        for source in sources if "source" in stage.wildcards else [None]:
            pairs = {"faceset": faceset, "source": source}
            instance = {name: value for name in stage.wildcards if (value := pairs[name]) is not None}
            if stage.runs_if(project, instance):
                yield instance


def all_instances(project: Project) -> Iterator[tuple[Stage, Instance]]:
    """Every instance of every stage, each after all that it reads."""
    for stage in STAGES.values():
        for instance in instances_of(project, stage):
            yield stage, instance


def reads_of(project: Project, stage: Stage, instance: Instance) -> dict[str, list[Read]]:
    """By the name of the input, which artifacts an instance reads; without inputs of which there are none."""
    found = {}
    for name, output in stage.inputs.items():
        if name not in stage.inputs_if or stage.inputs_if[name](project):
            reads = [Read(output, other) for other in instances_of(project, output.stage, instance)]
            if reads:
                found[name] = reads
    return found


def records_read(project: Project, stage: Stage, instance: Instance) -> list[str]:
    """The paths of the records that must be there before an instance can run."""
    reads = reads_of(project, stage, instance).values()
    return list(dict.fromkeys(read.record for entries in reads for read in entries))


def stages_before(stage: Stage) -> list[Stage]:
    """The stages that a stage reads, at any remove, in the order of the data."""
    found: set[str] = set()
    waiting = [stage]
    while waiting:
        for output in waiting.pop().inputs.values():
            if output.stage.name not in found:
                found.add(output.stage.name)
                waiting.append(output.stage)
    return [other for other in STAGES.values() if other.name in found]
