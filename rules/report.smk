rule report:
    input:
        inputs_of("report"),
    output:
        **outputs_of("report"),
    log:
        "logs/report/all.log",
    benchmark:
        "logs/benchmarks/report/all.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=1200,
    message:
        "Write the report"
    script:
        "../scripts/report.py"
