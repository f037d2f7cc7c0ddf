rule reference:
    input:
        inputs_of("reference"),
    output:
        **outputs_of("reference"),
    log:
        "logs/reference/{faceset}.log",
    benchmark:
        "logs/benchmarks/reference/{faceset}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=gpu_of("reference"),
    params:
        **params_of("reference"),
    message:
        "Embed the reference photos of {wildcards.faceset}"
    script:
        "../scripts/stage.py"
