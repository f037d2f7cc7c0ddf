rule crop:
    input:
        inputs_of("crop"),
    output:
        **outputs_of("crop"),
    log:
        "logs/crop/{source}.log",
    benchmark:
        "logs/benchmarks/crop/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=0,
    params:
        **params_of("crop"),
    message:
        "Cut and measure the faces of {wildcards.source}"
    script:
        "../scripts/stage.py"
