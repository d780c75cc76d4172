"""libheddle_rt through ctypes: as much of runtime.h as the benchmarks need."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ctypes

import numpy as np

MAX_RANK = 8
DTYPES = {1: np.float32, 2: np.float64, 3: np.float16, 5: np.int8, 6: np.int16, 7: np.int32,
          8: np.int64, 9: np.uint8, 10: np.uint16, 11: np.uint32, 12: np.uint64, 13: np.bool_}
CODES = {np.dtype(dtype): code for code, dtype in DTYPES.items()}


class TensorView(ctypes.Structure):
    """heddle_tensor_t."""
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p),
                ("shape", ctypes.c_int64 * MAX_RANK), ("rank", ctypes.c_int32),
                ("dtype", ctypes.c_int32)]


class ContextOptions(ctypes.Structure):
    """heddle_context_options_t."""
    _fields_ = [("threads", ctypes.c_uint32), ("pin", ctypes.c_uint32)]


class Model:
    """A loaded module with one context. Loading is all that __init__ does."""

    def __init__(self, library, path, threads):
        self.rt = library
        self.model, self.context = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.rt.heddle_model_load(str(path).encode(), None, ctypes.byref(self.model)))
        options = ContextOptions(threads=threads)
        self.check(self.rt.heddle_context_create(self.model, ctypes.byref(options),
                                                 ctypes.byref(self.context)))
        self.output_count = self.rt.heddle_model_output_count(self.model, ctypes.c_size_t(0))

    def close(self):
        self.rt.heddle_context_release(self.context)
        self.rt.heddle_model_release(self.model)

    def check(self, status):
        if status:
            raise RuntimeError(self.rt.heddle_last_error().decode())

    def run(self, inputs):
        """Name -> array in, name -> array out."""
        views = (TensorView * len(inputs))()
        # The arrays must live as long as the views that point into them.
        arrays = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        for view, (name, array) in zip(views, arrays.items()):
            view.name, view.data = name.encode(), array.ctypes.data
            view.rank, view.dtype = array.ndim, CODES[array.dtype]
            view.shape[:array.ndim] = array.shape
        outputs = (TensorView * self.output_count)()
        entry, count = ctypes.c_size_t(0), ctypes.c_size_t(len(inputs))
        output_count = ctypes.c_size_t(self.output_count)
        self.check(self.rt.heddle_model_output_shapes(self.model, entry, views, count, outputs,
                                                      output_count))
        results = {}
        for view in outputs:
            array = np.empty(tuple(view.shape[:view.rank]), DTYPES[view.dtype])
            view.data = array.ctypes.data
            results[view.name.decode()] = array
        self.check(self.rt.heddle_model_run(self.context, entry, views, count, outputs,
                                            output_count))
        return results


def load_library(path):
    library = ctypes.CDLL(str(path))
    library.heddle_last_error.restype = ctypes.c_char_p
    library.heddle_model_output_count.restype = ctypes.c_size_t
    return library
