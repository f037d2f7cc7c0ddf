rule track:
    input:
        inputs_of("track"),
    output:
        **outputs_of("track"),
    log:
        "logs/track/{source}.log",
    benchmark:
        "logs/benchmarks/track/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=0,
    params:
        **params_of("track"),
    message:
        "Follow faces through {wildcards.source}"
    script:
        "../scripts/stage.py"
