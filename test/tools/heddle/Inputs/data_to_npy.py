"""Writes the inputs of a data set as NumPy files, or checks outputs that are.

usage: data_to_npy.py DATA_SET FOLDER           NAME.npy for every input
       data_to_npy.py --check DATA_SET FOLDER   NAME.npy against every output
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper

check = sys.argv[1] == "--check"
data_set, folder = map(pathlib.Path, sys.argv[-2:])
for path in sorted(data_set.glob("output_*.pb" if check else "input_*.pb")):
    proto = onnx.TensorProto.FromString(path.read_bytes())
    array = numpy_helper.to_array(proto)
    if check:
        np.testing.assert_allclose(np.load(folder / f"{proto.name}.npy"), array, rtol=1e-4,
                                   atol=1e-5 * np.abs(array).max())
    else:
        np.save(folder / f"{proto.name}.npy", array)
