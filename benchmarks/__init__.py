"""Measurements of nnlearn.

``python -m benchmarks`` measures it beside other libraries. The way through the files: the command
line (__main__) makes the data (datasets) and starts a worker process for each peer (runner,
worker); the rows are classes (case says what one is; cases, accuracy_cases, augment_cases,
other_cases; table has their order); peers/ has a file for each library; distortion says how images
are changed; limits measures the machine; report and readme say what was found.

``python -m benchmarks.interrupts`` and ``python -m benchmarks.threads`` run by themselves: Ctrl-C,
and two networks in two threads.
"""
