report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/frames.smk"
include: "rules/detect.smk"
include: "rules/ingest.smk"
include: "rules/crop.smk"
include: "rules/embed.smk"
include: "rules/shards.smk"
include: "rules/track.smk"
include: "rules/cluster.smk"
include: "rules/reference.smk"
include: "rules/nearness.smk"
include: "rules/manifest.smk"
include: "rules/clean.smk"
include: "rules/extract.smk"
include: "rules/assemble.smk"
include: "rules/crate.smk"
include: "rules/report.smk"


rule all:
    input:
        records_of(*TERMINAL),


rule people:
    input:
        records_of("cluster"),


rule alignments:
    input:
        records_of("clean"),


rule facesets:
    input:
        records_of("assemble"),
