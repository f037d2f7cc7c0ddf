rule nearness:
    input:
        inputs_of("nearness"),
    output:
        **outputs_of("nearness"),
    log:
        "logs/nearness/{faceset}.log",
    benchmark:
        "logs/benchmarks/nearness/{faceset}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=0,
    params:
        **params_of("nearness"),
    message:
        "Rank people by the reference photos of {wildcards.faceset}"
    script:
        "../scripts/stage.py"
