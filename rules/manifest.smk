rule manifest:
    input:
        inputs_of("manifest"),
    output:
        **outputs_of("manifest"),
    log:
        "logs/manifest/{faceset}.log",
    benchmark:
        "logs/benchmarks/manifest/{faceset}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=0,
    params:
        **params_of("manifest"),
    message:
        "Decide what {wildcards.faceset} keeps"
    script:
        "../scripts/stage.py"
