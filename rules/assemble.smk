rule assemble:
    input:
        inputs_of("assemble"),
    output:
        **outputs_of("assemble"),
    log:
        "logs/assemble/{faceset}.log",
    benchmark:
        "logs/benchmarks/assemble/{faceset}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(700),
        gpu=0,
    params:
        **params_of("assemble"),
    message:
        "Bring {wildcards.faceset} together"
    script:
        "../scripts/stage.py"
