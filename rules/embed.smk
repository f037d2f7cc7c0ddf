rule embed:
    input:
        inputs_of("embed"),
    output:
        **outputs_of("embed"),
    log:
        "logs/embed/{source}.log",
    benchmark:
        "logs/benchmarks/embed/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=gpu_of("embed"),
    params:
        **params_of("embed"),
    message:
        "Embed the faces of {wildcards.source}"
    script:
        "../scripts/stage.py"
