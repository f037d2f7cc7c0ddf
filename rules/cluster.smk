rule cluster:
    input:
        inputs_of("cluster"),
    output:
        **outputs_of("cluster"),
    log:
        "logs/cluster/all.log",
    benchmark:
        "logs/benchmarks/cluster/all.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 8
    resources:
        mem_mb=memory(4000),
        gpu=0,
    params:
        **params_of("cluster"),
    message:
        "Tell people apart"
    script:
        "../scripts/stage.py"
