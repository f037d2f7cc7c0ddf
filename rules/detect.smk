rule detect:
    input:
        inputs_of("detect"),
    output:
        **outputs_of("detect"),
    log:
        "logs/detect/{source}.log",
    benchmark:
        "logs/benchmarks/detect/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=gpu_of("detect"),
    params:
        **params_of("detect"),
    message:
        "Find faces in {wildcards.source}"
    script:
        "../scripts/stage.py"
