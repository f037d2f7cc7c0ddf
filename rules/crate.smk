rule crate:
    input:
        inputs_of("crate"),
    output:
        **outputs_of("crate"),
    log:
        "logs/crate/{faceset}.log",
    benchmark:
        "logs/benchmarks/crate/{faceset}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        gpu=0,
    params:
        **params_of("crate"),
    message:
        "Describe how {wildcards.faceset} was made"
    script:
        "../scripts/stage.py"
