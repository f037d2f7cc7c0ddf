rule clean:
    input:
        inputs_of("clean"),
    output:
        **outputs_of("clean"),
    log:
        "logs/clean/{faceset}/{source}.log",
    benchmark:
        "logs/benchmarks/clean/{faceset}/{source}.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        gpu=0,
    params:
        **params_of("clean"),
    message:
        "Clean the alignments of {wildcards.source} for {wildcards.faceset}"
    script:
        "../scripts/stage.py"
