rule extract:
    input:
        inputs_of("extract"),
    output:
        **outputs_of("extract"),
    log:
        "logs/extract/{faceset}/{source}.log",
    benchmark:
        "logs/benchmarks/extract/{faceset}/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 8
    resources:
        mem_mb=memory(1500),
        gpu=0,
    params:
        **params_of("extract"),
    message:
        "Extract {wildcards.faceset} from {wildcards.source}"
    script:
        "../scripts/stage.py"
