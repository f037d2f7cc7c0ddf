rule frames:
    input:
        inputs_of("frames"),
    output:
        **outputs_of("frames"),
    log:
        "logs/frames/{source}.log",
    benchmark:
        "logs/benchmarks/frames/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(700),
        gpu=0,
    params:
        **params_of("frames"),
    message:
        "List the frames of {wildcards.source}"
    script:
        "../scripts/stage.py"
