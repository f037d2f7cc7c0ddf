rule report:
    input:
        inputs_of("report"),
    output:
        record=outputs_of("report")["record"],
        report=report(
            outputs_of("report")["report"],
            caption="captions/report.rst",
            category="Face sets",
            labels={"page": "people"},
        ),
    log:
        "logs/report/all.log",
    benchmark:
        "logs/benchmarks/report/all.tsv"
    conda:
        "../envs/faceset.yaml"
    threads: 1
    resources:
        mem_mb=memory(1200),
        gpu=0,
    params:
        **params_of("report"),
    message:
        "Write the report"
    script:
        "../scripts/stage.py"
