rule ingest:
    input:
        inputs_of("ingest"),
    output:
        **outputs_of("ingest"),
    log:
        "logs/ingest/{source}.log",
    benchmark:
        "logs/benchmarks/ingest/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        gpu=0,
    params:
        **params_of("ingest"),
    message:
        "Read the alignments of {wildcards.source}"
    script:
        "../scripts/stage.py"
