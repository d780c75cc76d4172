"""The project's own text files, as the checks of this folder read them."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked(*suffixes):
    """Paths, relative to the root, of the files that git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [pathlib.PurePosixPath(line) for line in listing.splitlines()]
    return sorted(path for path in set(paths)
                  if path.suffix in suffixes and (ROOT / path).is_file())


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def report(findings, good):
    """Prints findings 'path:line: text', or `good`; returns the exit code."""
    for finding in findings:
        print(finding)
    if not findings:
        print(good)
    return 3 if findings else 0
