# importing.py - builds small models and runs heddle-onnx-import on them.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
import sys

from onnx import TensorProto, helper

failures = []


def run(*arguments, timeout=60, memory=1 << 22):
    """Runs heddle-onnx-import with that many KiB of memory."""
    command = ["sh", "-c", f'ulimit -v {memory}; exec heddle-onnx-import "$@"', "sh"]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, timeout=timeout)


def fail(case, message):
    failures.append(case)
    print(f"FAILED {case}: {message}", file=sys.stderr)


def check_diagnostic(case, path, text, lines):
    """One diagnostic about the model, without control characters, that holds
    `text`."""
    if len(lines) != 1 or not lines[0].startswith(f"{path}: "):
        fail(case, f"expected one line about {path}, got {lines}")
    elif text not in lines[0]:
        fail(case, f"expected '{text}' in\n{lines[0]}")
    elif not lines[0].isprintable():
        fail(case, f"control characters in {lines[0]!r}")


def expect_refused(case, path, text, *options, memory=1 << 22):
    """The model gives exit code 1, a diagnostic, and nothing on standard output."""
    result = run(*options, path, memory=memory)
    error = result.stderr.decode()
    if result.returncode != 1 or result.stdout:
        fail(case, f"exit code {result.returncode}\n{error}")
    check_diagnostic(case, path, text, error.splitlines())


def expect_all_refused(cases):
    """The same for many models, (case, path, text), in one process."""
    result = run(*(path for _, path, _ in cases))
    lines = result.stderr.decode().splitlines()
    if result.returncode != 1 or result.stdout:
        # One of them ends the process, or is accepted: say which.
        for case, path, text in cases:
            expect_refused(case, path, text)
        return
    for case, path, text in cases:
        own = [line for line in lines if line.startswith(f"{path}: ")]
        check_diagnostic(case, path, text, own)
    if len(lines) != len(cases):
        fail("all", f"expected {len(cases)} lines, got {len(lines)}")


def expect_accepted(case, path, *options):
    result = run("--quiet", *options, path)
    if result.returncode != 0 or result.stderr:
        fail(case, f"exit code {result.returncode}\n{result.stderr.decode()}")


def finish(count):
    """Ends the program: exit code 1 if a case failed."""
    print(f"{count} cases, {len(failures)} failed")
    sys.exit(1 if failures else 0)


def value(name, shape=(2,), dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, initializers=(), functions=(), opsets=(("", 18),), inputs=None, outputs=None):
    """A model that reads x and gives y, both float[2] unless given."""
    graph = helper.make_graph(
        list(nodes), "g",
        [value("x")] if inputs is None else inputs,
        [value("y")] if outputs is None else outputs, list(initializers))
    imports = [helper.make_opsetid(*opset) for opset in opsets]
    return helper.make_model(graph, ir_version=10, opset_imports=imports, functions=list(functions))


def node(op_type, inputs, outputs, name="n", **attributes):
    return helper.make_node(op_type, inputs, outputs, name=name, **attributes)
