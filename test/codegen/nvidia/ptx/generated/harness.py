"""Runs generated kernels in the interpreter and plants faults in them."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import json
import subprocess
from dataclasses import dataclass, field, replace

import numbers_of as numbers
import numpy


@dataclass
class Launch:
    """One kernel with inputs and what it must compute."""
    name: str
    text: str
    options: list  # of `heddle-ptx run`
    arrays: dict  # name: input or output array
    arguments: list  # with array names in braces, for --arg
    buffers: list  # the same, for --buffer
    expected: numpy.ndarray  # f64, of the array `out`
    bound: numpy.ndarray  # the largest error of each element
    element: str = "f32"  # of the output


@dataclass
class Fault:
    """`old` becomes `new` in the text wherever it stands, and in the command line
    what `launch` says; one of the kinds must be found."""
    what: str
    old: str
    new: str
    kinds: set
    launch: dict = field(default_factory=dict)


def run(launch, text, folder, options):
    """The exit code and the JSON report."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.ptx").write_text(text)
    paths = {}
    for name, array in launch.arrays.items():
        paths[name] = folder / f"{name}.npy"
        numpy.save(paths[name], array)
    words = ["heddle-ptx", "run", str(folder / "kernel.ptx"), *launch.options, *options, "--json"]
    for option, texts in (("--buffer", launch.buffers), ("--arg", launch.arguments)):
        for argument in texts:
            words += [option, argument.format(**paths)]
    process = subprocess.run(words, capture_output=True, text=True)
    if process.returncode not in (0, 3):
        raise RuntimeError(f"{launch.name}: exit code {process.returncode}: {process.stderr[:2000]}")
    return process.returncode, json.loads(process.stdout)


def check_clean(launch, folder, options=()):
    """Runs without a finding and computes the right numbers; returns the
    statistics."""
    code, report = run(launch, launch.text, folder, list(options))
    assert code == 0, f"{launch.name} {options}: {report['findings'][:3]}"
    got = numbers.decode(launch.element, numpy.load(folder / "out.npy"))
    error = numpy.abs(got - launch.expected)
    worst = float(numpy.nanmax(error / launch.bound)) if error.size else 0.0
    assert not numpy.isnan(got).any() and worst <= 1, \
        f"{launch.name} {options}: the largest error is {worst:.3g} times its bound"
    return report["statistics"]


def check_fault(launch, fault, folder):
    """The planted fault is found, whatever the seed."""
    assert fault.old in launch.text, f"{launch.name}: {fault.what}: '{fault.old}' is not there"
    text = launch.text.replace(fault.old, fault.new) if fault.old else launch.text
    words = {}
    for name in ("options", "arguments"):
        words[name] = getattr(launch, name)
        for old, new in fault.launch.items():
            words[name] = [word.replace(old, new) for word in words[name]]
    planted = replace(launch, **words)
    for seed in (1, 2):
        code, report = run(planted, text, folder,
                           [f"--seed={seed}", "--max-instructions=5000000"])
        kinds = {finding["kind"] for finding in report["findings"]}
        assert code == 3 and kinds & fault.kinds, \
            f"{launch.name}: {fault.what}, seed {seed}: exit code {code}, found {kinds}"


def check_all(launches, faults, folder):
    """The launches as they are, the first of them under further seeds and all
    completion modes, and with each of the faults."""
    for launch in launches:
        check_clean(launch, folder)
        print(f"{launch.name}: right")
    for seed in (2, 3):
        for mode in ("late", "early", "random"):
            check_clean(launches[0], folder, [f"--seed={seed}", f"--async={mode}"])
    for fault in faults:
        check_fault(launches[0], fault, folder)
    print(f"{launches[0].name}: {len(faults)} planted faults found")
