"""Cases of operators that move, choose, reduce or generate elements."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
from onnx import numpy_helper

from case import Case, ints, random, scalar

REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
              "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")


def reductions():
    data = random((2, 3, 4), low=0.1, high=2)
    for op in REDUCTIONS:
        first = 13 if op == "ReduceSum" else 18
        old = tuple(v for v in (11, 13) if v < first)
        new = tuple(v for v in (13, 18, 20, 23) if v >= first)
        for keepdims in (0, 1):
            for axes in ([1], [-1], [0, 2], [0, 1, 2]):
                yield Case(op, [data], {"axes": axes, "keepdims": keepdims}, opsets=old)
                yield Case(op, [data, ints(*axes)], {"keepdims": keepdims}, (1,), opsets=new,
                           note=str(axes))
            yield Case(op, [data], {"keepdims": keepdims}, note="all axes")
        yield Case(op, [data, ints()], {"noop_with_empty_axes": 0}, (1,), opsets=new)
        for dtype in ("int32", "int64", "float64"):
            if op in ("ReduceLogSum", "ReduceLogSumExp") and dtype != "float64":
                continue
            yield Case(op, [random((2, 3, 4), dtype, 1, 4)], {"keepdims": 0}, opsets=(13, 18))
    yield Case("ReduceSum", [data, ints()], {"noop_with_empty_axes": 1}, (1,), opsets=(13, 23))
    yield Case("ReduceMean", [random((3, 7), "int32", -9, 9)], {"keepdims": 0}, note="truncation")
    for dtype in ("int8", "uint8"):
        yield Case("ReduceMax", [random((3, 4), dtype, -9, 9)], opsets=(12, 18))
        yield Case("ReduceMin", [random((3, 4), dtype, -9, 9)], opsets=(12, 18))
    yield Case("ReduceLogSumExp", [np.array([[800.0, 801.0], [-900.0, -901.0]], np.float32)],
               {"keepdims": 0}, note="far")
    for op in ("ArgMax", "ArgMin"):
        ties = np.array([[3, 1, 3, 0], [2, 2, 0, 0]], dtype=np.float32)
        for axis in (0, 1, -1):
            for keepdims in (0, 1):
                for last in (0, 1):
                    yield Case(op, [ties], {"axis": axis, "keepdims": keepdims,
                                            "select_last_index": last}, opsets=(12, 13, 23))
        yield Case(op, [random((3, 4), "int32")], opsets=(11, 13))
    for exclusive in (0, 1):
        for reverse in (0, 1):
            for axis in (0, -1):
                yield Case("CumSum", [random((3, 4)), scalar(axis)],
                           {"exclusive": exclusive, "reverse": reverse}, (1,), opsets=(11, 14))
    yield Case("CumSum", [random((3, 4), "int64"), scalar(1)], {}, (1,), opsets=(11, 14))


def normalisations():
    data = random((2, 3, 4))
    for op in ("Softmax", "LogSoftmax"):
        for axis in (0, 1, 2, -1, -2):
            yield Case(op, [data], {"axis": axis})
        yield Case(op, [data], note="default axis")
        yield Case(op, [random((3, 5), "float64")], {"axis": -1})
        yield Case(op, [random((3, 5), "float16")], {"axis": -1})
        yield Case(op, [np.array([[-np.inf, 1, 2], [100, 200, 300]], np.float32)], {"axis": -1},
                   note="special values")
    for axis in (0, 1, 2, -1, -2):
        shape = data.shape[axis:]
        weights = [random(shape, seed="s"), random(shape, seed="b")]
        yield Case("LayerNormalization", [data, *weights], {"axis": axis}, opsets=(17, 23))
        yield Case("LayerNormalization", [data, weights[0]], {"axis": axis, "epsilon": 0.1},
                   opsets=(17,))
        yield Case("LayerNormalization", [data, *weights], {"axis": axis}, opsets=(17,),
                   outputs=("y", "mean", "inverse"))
        yield Case("RMSNormalization", [data, weights[0]], {"axis": axis}, opsets=(23,))
    yield Case("RMSNormalization", [data, random((4,))], {"epsilon": 0.1}, opsets=(23,))


def products():
    pairs = (((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((4,), (4, 5)),
             ((3, 4), (4,)), ((4,), (4,)), ((2, 1, 3, 4), (5, 4, 6)), ((2, 3, 4), (4,)),
             ((4,), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((1, 3, 4), (2, 4, 5)))
    for left, right in pairs:
        yield Case("MatMul", [random(left, seed="l"), random(right, seed="r")])
        yield Case("MatMul", [random(left, seed="l"), random(right, seed="r")], constants=(1,),
                   opsets=(13,), note="constant")
    for dtype in ("float64", "int32", "int64", "uint32"):
        yield Case("MatMul", [random((2, 3, 4), dtype, seed="l"), random((4, 5), dtype, seed="r")])
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            left = random((4, 3) if trans_a else (3, 4), seed="l")
            right = random((5, 4) if trans_b else (4, 5), seed="r")
            flags = {"transA": trans_a, "transB": trans_b}
            yield Case("Gemm", [left, right], flags)
            for addend in ((5,), (1, 5), (3, 5), (3, 1), (1,), ()):
                yield Case("Gemm", [left, right, random(addend, seed="c")], flags)
            yield Case("Gemm", [left, right, random((5,))], flags | {"alpha": 0.5, "beta": 2.0})
    yield Case("Gemm", [random((3, 4)), random((4, 5)), random((5,))], {"beta": 0.0})
    yield Case("Gemm", [random((3, 4)), random((4, 5)), random((5,))], {"alpha": 1.5},
               constants=(1, 2))


def gathers():
    data = random((3, 4, 5))
    for axis in (0, 1, -1):
        for indices in (scalar(1), scalar(-1), ints(0, 2, -1), ints(2, 1).reshape(1, 2)):
            yield Case("Gather", [data, indices], {"axis": axis})
            yield Case("Gather", [data, indices], {"axis": axis}, (1,), opsets=(13,),
                       note="constant")
    yield Case("Gather", [data, ints(0, 2).astype(np.int32)])
    yield Case("Gather", [random((6,), "int64"), scalar(3)], note="vector")
    yield Case("Gather", [random((3, 4), "bool"), ints(1, 1)], note="bool")
    for axis in (0, 1, -1):
        yield Case("GatherElements", [random((3, 4)), np.array([[0, 1], [-1, 2]])],
                   {"axis": axis})
    yield Case("GatherND", [random((2, 3, 4)), np.array([[0, 1], [-1, 2]])], static=(1,))
    yield Case("GatherND", [random((2, 3, 4)), np.array([[[0, 1, 3]], [[-1, 2, -4]]])],
               static=(1,))
    yield Case("GatherND", [random((2, 3, 4)), np.array([[1], [2]])], {"batch_dims": 1},
               opsets=(12, 13), static=(1,))
    yield Case("GatherND", [random((2, 3, 4)), np.array([[[1], [2]], [[0], [-1]]])],
               {"batch_dims": 1}, opsets=(12, 13))
    for axis in (0, 1, -1):
        yield Case("OneHot", [ints(1, -1, 3, 9), scalar(4), np.array([2.0, 5.0], np.float32)],
                   {"axis": axis}, (1,))
    yield Case("OneHot", [random((2, 3), "int32", 0, 3), scalar(4), ints(0, 1)], {}, (1,))


def slices():
    data = random((4, 6, 5))
    limit = np.iinfo(np.int64)
    for starts, ends, axes, steps in (
            ([1], [3], None, None), ([0, 1], [2, 5], None, None), ([-2], [limit.max], [1], None),
            ([1], [-1], [-1], [2]), ([-1], [limit.min], [0], [-1]), ([4], [0], [1], [-2]),
            ([5, 3], [1, -9], [1, 0], [-1, -1]), ([9], [20], [0], None), ([2], [1], [0], None),
            ([-99], [99], [2], [3])):
        inputs = [data, ints(*starts), ints(*ends)]
        inputs.append(None if axes is None else ints(*axes))
        if steps is not None:
            inputs.append(ints(*steps))
        elif axes is None:
            inputs.pop()
        yield Case("Slice", inputs, {}, (1, 2, 3, 4), note=f"{starts} {ends} {axes} {steps}")
    for axis in (0, 1, -1):
        yield Case("Split", [data], {"axis": axis, "num_outputs": 2}, opsets=(18, 23),
                   outputs=("a", "b"))
    yield Case("Split", [data], {"axis": 1}, opsets=(11, 13), outputs=("a", "b", "c"))
    yield Case("Split", [data], {"axis": 1, "split": [1, 2, 3]}, opsets=(11,),
               outputs=("a", "b", "c"))
    yield Case("Split", [data, ints(1, 2, 3)], {"axis": 1}, (1,), opsets=(13, 18),
               outputs=("a", "b", "c"))
    for axis in (0, 1, -1):
        shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
        shapes[1][axis] = 1
        shapes[2][axis] = 5
        yield Case("Concat", [random(tuple(s), seed=i) for i, s in enumerate(shapes)],
                   {"axis": axis})
    yield Case("Concat", [random((2, 3))], {"axis": 0}, note="one input")
    for mode in ("constant", "reflect", "edge"):
        yield Case("Pad", [data, ints(1, 0, 2, 2, 3, 0)], {"mode": mode}, (1,))
    yield Case("Pad", [data, ints(1, 0, 2, 2, 3, 0), scalar(1.5, "float32")], {}, (1,))
    yield Case("Pad", [data, ints(-1, 0, 2, -1, -3, 0)], {}, (1,), note="negative")
    yield Case("Pad", [data, ints(1, 2), scalar(9.0, "float32"), ints(-1)], {}, (1, 3),
               opsets=(18, 23))
    yield Case("Pad", [data, ints(1, 7, 2, 2, 8, 0)], {"mode": "wrap"}, (1,), opsets=(19, 23))
    yield Case("Pad", [random((3, 4), "int64"), ints(1, 1, 0, 2), scalar(7)], {}, (1,))


def views():
    data = random((2, 3, 4))
    for shape in ((6, 4), (2, 12), (24,), (-1, 4), (0, -1), (2, 0, 2, 2), (1, 2, 1, 12, 1),
                  (4, 6), (3, 8)):
        yield Case("Reshape", [data, ints(*shape)], {}, (1,), note=str(shape))
    yield Case("Reshape", [random((0, 4)), ints(2, 0)], {"allowzero": 1}, (1,), opsets=(14, 23))
    yield Case("Reshape", [random((1, 1)), ints()], {}, (1,), note="to a scalar")
    yield Case("Reshape", [random(()), ints(1, 1)], {}, (1,), note="from a scalar")
    for axis in (0, 1, 2, 3, -1, -2):
        yield Case("Flatten", [data], {"axis": axis})
    single = random((1, 3, 1, 4))
    yield Case("Squeeze", [single], note="all")
    yield Case("Squeeze", [single], {"axes": [0, -2]}, opsets=(11,))
    yield Case("Squeeze", [single, ints(0, -2)], {}, (1,), opsets=(13, 23))
    yield Case("Unsqueeze", [data], {"axes": [0, 4]}, opsets=(11,))
    yield Case("Unsqueeze", [data, ints(-1, 0)], {}, (1,), opsets=(13, 23))
    yield Case("Transpose", [data])
    for perm in ([0, 2, 1], [1, 0, 2], [2, 1, 0], [0, 1, 2]):
        yield Case("Transpose", [data], {"perm": perm})
    yield Case("Expand", [random((3, 1)), ints(2, 1, 4)], {}, (1,))
    yield Case("Expand", [random((3, 4)), ints(1)], {}, (1,))
    yield Case("Expand", [random((), "int64"), ints(2, 3)], {}, (1,))
    yield Case("Tile", [data, ints(2, 1, 3)], {}, (1,))
    yield Case("Tile", [random((3,), "int64"), ints(4)], {}, (1,))
    yield Case("Tile", [data, ints(1, 1, 1)], {}, (1,))


def generators():
    for value in (None, np.array([2.5], np.float32), np.array([7], np.int64), np.array([True])):
        attributes = {} if value is None else {"value": numpy_helper.from_array(value)}
        yield Case("ConstantOfShape", [ints(2, 3)], attributes, (0,))
    yield Case("Range", [scalar(2), scalar(11), scalar(3)], {}, (0, 1, 2))
    yield Case("Range", [scalar(5.0, "float32"), scalar(1.0, "float32"), scalar(-1.5, "float32")],
               {}, (0, 1, 2))
    yield Case("Shape", [random((2, 3, 4))])
    yield Case("Shape", [random((2, 3, 4))], {"start": 1}, opsets=(15, 23))
    yield Case("Shape", [random((2, 3, 4))], {"start": -2, "end": -1}, opsets=(15, 23))
    yield Case("Size", [random((2, 3, 4))])
    for upper in (0, 1):
        for shift in (None, 0, 1, -2):
            inputs = [random((2, 4, 5))] + ([] if shift is None else [scalar(shift)])
            yield Case("Trilu", inputs, {"upper": upper}, opsets=(14, 23), note=str(shift))
            yield Case("Trilu", inputs, {"upper": upper}, (1,), opsets=(14,),
                       note=f"constant {shift}")


FAMILIES = {function.__name__: function
            for function in (reductions, normalisations, products, gathers, slices, views,
                             generators)}
