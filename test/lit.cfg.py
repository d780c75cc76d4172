# lit.cfg.py - how the tests below this folder are found and run.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Substitutions
#   %source         the source root               %python   Python with the test packages
#   %models         test/models                   %cache    the cache of tools/setup
#   %exits CODE     runs a command that must end with this exit code
#   %shared_models  real models beside the project, with the feature shared-models
#   %shared_gpu     kernels of Triton beside the project, with the feature shared-gpu
#   %build          the build folder
#   %triton_python  a Python that has Triton, with the feature triton
# Features
#   shared-models   HEDDLE_SHARED names a folder that has models/
#   shared-gpu      HEDDLE_SHARED names a folder that has gpu/
#   gpu             an NVIDIA driver is installed
#   triton          HEDDLE_TRITON_PYTHON, or python3, has the package triton
#   minilm          the weights and the tokenizer of all-MiniLM-L6-v2 are in the cache
#   avx512          this machine runs AVX-512 code
#   ptxas           NVIDIA's assembler is installed
#   root            the tests run as root, whom no file permission stops

import ctypes
import os
import shutil
import subprocess

import lit.formats

config.name = "heddle"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".onnxtxt"]
config.excludes = ["Inputs", "models", "unit"]

source_root = config.heddle_source_root
build_root = config.heddle_build_root
config.test_source_root = os.path.join(source_root, "test")
config.test_exec_root = os.path.join(build_root, "test")

config.environment["PATH"] = os.pathsep.join([
    os.path.join(build_root, "bin"),
    config.llvm_tools_dir,
    os.environ["PATH"],
])
# A model that a test runs is compiled to a cache of the build, not the user's.
config.environment["HEDDLE_CACHE"] = os.path.join(build_root, "test", "cache")


def minilm_folder():
    """The newest all-MiniLM-L6-v2 that tools/setup fetched, or None."""
    if not os.path.isdir(config.heddle_cache):
        return None
    names = [n for n in os.listdir(config.heddle_cache) if n.startswith("all-minilm-l6-v2-")]
    return os.path.join(config.heddle_cache, max(names)) if names else None


def cpu_flags():
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("flags"):
                return set(line.split(":")[1].split())
    return set()


def triton_python():
    """A Python that has the package triton, or None."""
    python = os.environ.get("HEDDLE_TRITON_PYTHON") or shutil.which("python3")
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('triton') is None)"
    if python and subprocess.run([python, "-c", probe], capture_output=True).returncode == 0:
        return python
    return None


def has_nvidia_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


shared_models = os.path.join(os.environ.get("HEDDLE_SHARED", ""), "models")
if os.environ.get("HEDDLE_SHARED") and os.path.isdir(shared_models):
    config.available_features.add("shared-models")
shared_gpu = os.path.join(os.environ.get("HEDDLE_SHARED", ""), "gpu")
if os.environ.get("HEDDLE_SHARED") and os.path.isdir(shared_gpu):
    config.available_features.add("shared-gpu")
if triton_python():
    config.available_features.add("triton")
if has_nvidia_driver():
    config.available_features.add("gpu")
if minilm_folder():
    config.available_features.add("minilm")
if {"avx512f", "avx512bw", "avx512vl"} <= cpu_flags():
    config.available_features.add("avx512")
if shutil.which("ptxas"):
    config.available_features.add("ptxas")
if os.geteuid() == 0:
    config.available_features.add("root")

# A longer name comes before its prefix: lit replaces in this order.
config.substitutions += [
    ("%python", os.path.join(config.heddle_cache, "python", "bin", "python")),
    ("%exits", os.path.join(config.heddle_cache, "python", "bin", "python") + " "
     + os.path.join(config.test_source_root, "exits.py")),
    ("%shared_models", os.path.abspath(shared_models)),
    ("%shared_gpu", os.path.abspath(shared_gpu)),
    ("%models", os.path.join(config.test_source_root, "models")),
    ("%minilm", minilm_folder() or ""),
    ("%source", source_root),
    ("%build", build_root),
    ("%triton_python", triton_python() or ""),
    ("%cache", config.heddle_cache),
]
