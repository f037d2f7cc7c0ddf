"""Shards: jobs that make parts of a long source beforehand, where sources.tsv asks for them."""


use rule detect as detect_shard with:
    output:
        temp(STAGES["detect"].shard),
    log:
        "logs/detect/{source}.{shard}.log",
    benchmark:
        "logs/benchmarks/detect/{source}.{shard}.tsv"
    message:
        "Find faces in {wildcards.source}, shard {wildcards.shard}"


use rule crop as crop_shard with:
    output:
        temp(STAGES["crop"].shard),
    log:
        "logs/crop/{source}.{shard}.log",
    benchmark:
        "logs/benchmarks/crop/{source}.{shard}.tsv"
    message:
        "Cut and measure the faces of {wildcards.source}, shard {wildcards.shard}"


use rule embed as embed_shard with:
    output:
        temp(STAGES["embed"].shard),
    log:
        "logs/embed/{source}.{shard}.log",
    benchmark:
        "logs/benchmarks/embed/{source}.{shard}.tsv"
    message:
        "Embed the faces of {wildcards.source}, shard {wildcards.shard}"
