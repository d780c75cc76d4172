"""The part of tools/demo that speaks Python: tokenizes sentences, lets heddle
compute their embeddings, compares their similarities with ONNX Runtime's, and
prints sizes and times.

usage: demo-sentences.py FOLDER WEIGHTS

FOLDER holds model.onnx, WEIGHTS tokenizer.json and the model's weights.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import onnxruntime
import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
HEDDLE = BUILD / "bin/heddle"

SENTENCES = [
    "A loom lifts the warp threads with heddles.",
    "Weaving machines raise the lengthwise yarns.",
    "The compiler turns a graph into native code.",
    "Tomorrow it will rain in the mountains.",
]


def heddle(*arguments, **options):
    print("$ heddle", *arguments)
    return subprocess.run([HEDDLE, *map(str, arguments)], check=True, text=True, **options)


def compile_model(folder, weights):
    start = time.perf_counter()
    heddle("compile", folder / "model.onnx", "-o", folder / "model.so",
           f"--allow-external={weights}")
    return time.perf_counter() - start


def tokenize(weights):
    """The model's inputs for all sentences as one batch, by name."""
    tokenizer = tokenizers.Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(SENTENCES)
    return {"input_ids": np.array([e.ids for e in encoded]),
            "attention_mask": np.array([e.attention_mask for e in encoded]),
            "token_type_ids": np.array([e.type_ids for e in encoded])}


def embed_with_heddle(folder, inputs):
    arguments = []
    for name, value in inputs.items():
        np.save(folder / f"{name}.npy", value)
        arguments += ["--input", f"{name}={folder / name}.npy"]
    heddle("run", folder / "model.so", *arguments, "--output", folder)
    return np.load(folder / "sentence_embedding.npy")


def embed_with_onnxruntime(folder, inputs):
    # ONNX Runtime follows no links to external data: it reads the real files.
    model = (folder / "model.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path",
                                     str((folder / "model.safetensors").resolve().parent))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(["sentence_embedding"], inputs)[0]


def print_similarities(ours, expected):
    print(f"\n{'cosine similarity':64}  heddle  onnxruntime")
    for i, j in itertools.combinations(range(len(SENTENCES)), 2):
        print(f"  {SENTENCES[i]}")
        print(f"  {SENTENCES[j]:62}  {ours[i] @ ours[j]:6.4f}  {expected[i] @ expected[j]:6.4f}")


def size(path):
    return f"{path.stat().st_size / 1024:,.0f} KB"


def main():
    folder, weights = map(pathlib.Path, sys.argv[1:])
    compile_seconds = compile_model(folder, weights)
    inputs = tokenize(weights)
    ours = embed_with_heddle(folder, inputs)
    expected = embed_with_onnxruntime(folder, inputs)
    print_similarities(ours, expected)

    bench = heddle("bench", folder / "model.so", "--dim", "batch=1", "--dim", "seq=128", "--json",
                   stdout=subprocess.PIPE)
    times = json.loads(bench.stdout)
    print(f"\ncompile time                {compile_seconds:.1f} s")
    print(f"latency, 128 tokens         {times['median_ms']:.1f} ms on {times['threads']} threads")
    print(f"load and first run          {times['load_ms'] + times['first_run_ms']:.1f} ms")
    print(f"artefact                    {size(folder / 'model.so')} of code, "
          f"{size(folder / 'model.weights')} of weights")
    print(f"runtime                     {size(BUILD / 'lib/libheddle_rt.so')}")
    if not np.allclose(ours, expected, atol=1e-5):
        sys.exit("the embeddings differ from ONNX Runtime's")


if __name__ == "__main__":
    main()
