"""Changes a TensorProto file: edit_tensor.py FILE 'statement about array or name'."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import sys

import onnx
from onnx import numpy_helper

path = pathlib.Path(sys.argv[1])
proto = onnx.TensorProto.FromString(path.read_bytes())
scope = {"array": numpy_helper.to_array(proto).copy(), "name": proto.name}
exec(sys.argv[2], scope)
path.write_bytes(numpy_helper.from_array(scope["array"], scope["name"]).SerializeToString())
