"""Cases of operators that compute element by element."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

from case import Case, random, scalar

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -1.5, 2.5, -2.5, 3e38, -3e38],
                   dtype=np.float32)


def unary():
    anywhere = ("Abs", "Neg", "Ceil", "Floor", "Round", "Sign", "Exp", "Tanh", "Sigmoid", "Relu",
                "Erf", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Softplus",
                "Softsign", "Elu", "Selu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu")
    for op in anywhere:
        yield Case(op, [random((2, 3, 5), seed=op)])
        yield Case(op, [random((), seed=op)], note="scalar")
    for op in ("Sqrt", "Log", "Reciprocal", "Acosh"):
        yield Case(op, [random((2, 7), low=1.1, high=9, seed=op)])
    for op in ("Asin", "Acos", "Atanh"):
        yield Case(op, [random((2, 7), low=-0.9, high=0.9, seed=op)])
    for op in ("Abs", "Neg", "Sign"):
        for dtype in ("int8", "int32", "int64", "float64"):
            yield Case(op, [random((3, 4), dtype, seed=op)])
    for op in ("Exp", "Tanh", "Sigmoid", "Sqrt", "Neg", "Relu"):
        yield Case(op, [random((3, 4), "float16", low=0.5, high=3, seed=op)])
    for op in ("Abs", "Neg", "Ceil", "Floor", "Round", "Sign", "Relu", "Sigmoid", "Tanh"):
        yield Case(op, [SPECIAL], note="special values")
    yield Case("Celu", [random((2, 7))], {"alpha": 1.7}, opsets=(13, 18))
    yield Case("Elu", [random((2, 7))], {"alpha": 0.3})
    yield Case("Selu", [random((2, 7))], {"alpha": 1.1, "gamma": 2.0})
    yield Case("LeakyRelu", [random((2, 7))], {"alpha": 0.3})
    yield Case("HardSigmoid", [random((2, 7))], {"alpha": 0.1, "beta": 0.6})
    yield Case("ThresholdedRelu", [random((2, 7))], {"alpha": 1.5})
    yield Case("HardSwish", [random((2, 7), low=-5, high=5)], opsets=(14, 22))
    yield Case("Mish", [random((2, 7), low=-30, high=30)], opsets=(18, 22))
    for approximate in ("none", "tanh"):
        yield Case("Gelu", [random((2, 7))], {"approximate": approximate}, opsets=(20, 23))
    yield Case("Softplus", [np.array([-100, -1, 0, 1, 100], dtype=np.float32)], note="far")
    yield Case("Identity", [random((2, 3), "int32")])
    yield Case("Dropout", [random((2, 3))], opsets=(11, 13, 22))
    yield Case("Not", [random((2, 3), "bool")])
    yield Case("BitwiseNot", [random((2, 3), "uint8")], opsets=(18, 23))
    yield Case("IsNaN", [SPECIAL])
    yield Case("IsInf", [SPECIAL])
    yield Case("IsInf", [SPECIAL], {"detect_positive": 0})
    yield Case("IsInf", [SPECIAL], {"detect_negative": 0})


BROADCASTS = (((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 1)), ((3, 1), (1, 4)),
              ((), (2, 3)), ((2, 1, 4), (5, 1)))


def binary():
    for op in ("Add", "Sub", "Mul", "Div", "Equal", "Less", "Greater"):
        for left, right in BROADCASTS:
            yield Case(op, [random(left, seed="l"), random(right, seed="r")])
        for dtype in ("int32", "int64", "float64"):
            low = 1 if op == "Div" else -4
            yield Case(op, [random((3, 4), dtype, seed="l"), random((4,), dtype, low, 5, seed="r")])
    for op in ("LessOrEqual", "GreaterOrEqual"):
        for dtype in ("float32", "int64", "int32"):
            yield Case(op, [random((3, 4), dtype, seed="l"), random((4,), dtype, seed="r")],
                       opsets=(12, 16, 23))
    for op in ("And", "Or", "Xor", "Equal"):
        yield Case(op, [random((3, 4), "bool", seed="l"), random((4,), "bool", seed="r")])
    for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        yield Case(op, [random((3, 4), "int32", -99, 99, seed="l"),
                        random((4,), "int32", -99, 99, seed="r")], opsets=(18, 23))
    for direction in ("LEFT", "RIGHT"):
        yield Case("BitShift", [random((3, 4), "uint8", 0, 255), random((3, 4), "uint8", 0, 7)],
                   {"direction": direction})
    yield Case("PRelu", [random((2, 3, 4)), random((3, 1))])
    yield Case("Less", [SPECIAL, SPECIAL[::-1].copy()], note="special values")
    yield Case("Equal", [SPECIAL, SPECIAL.copy()], note="special values")


def division():
    dividend = np.array([7, -7, 7, -7, 0, 6, -6, -9], dtype=np.int64)
    divisor = np.array([2, 2, -2, -2, 5, -3, -1, 4], dtype=np.int64)
    for dtype in ("int32", "int64"):
        yield Case("Div", [dividend.astype(dtype), divisor.astype(dtype)], note="signs")
        yield Case("Mod", [dividend.astype(dtype), divisor.astype(dtype)], note="signs")
        yield Case("Mod", [dividend.astype(dtype), divisor.astype(dtype)], {"fmod": 1},
                   note="signs")
    for dtype in ("uint8", "uint32", "uint64"):
        yield Case("Div", [np.array([255, 200, 7], dtype), np.array([2, 7, 200], dtype)])
        yield Case("Mod", [np.array([255, 200, 7], dtype), np.array([2, 7, 200], dtype)])
    yield Case("Mod", [random((3, 4), seed="l"), random((3, 4), low=0.5, seed="r")], {"fmod": 1})
    yield Case("Div", [random((3, 4)), np.zeros((4,), np.float32)], note="by zero")


def powers():
    base = random((3, 4), low=0.1, high=3)
    for exponent in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0, 2.5):
        yield Case("Pow", [base, scalar(exponent, "float32")], constants=(1,))
    yield Case("Pow", [base, random((4,), seed="e")])
    yield Case("Pow", [random((3, 4)), scalar(2.0, "float32")], note="negative base")
    for kinds in (("float32", "int64"), ("float32", "int32"), ("int64", "int64"),
                  ("int32", "float32"), ("float32", "float64"), ("int64", "float32")):
        yield Case("Pow", [random((3, 4), kinds[0], 1, 4), random((4,), kinds[1], 1, 3)],
                   opsets=(12, 13, 15, 23), note=str(kinds))


def extremes():
    for op in ("Min", "Max"):
        for dtype in ("float32", "float64", "int32", "int64", "uint32", "uint64"):
            parts = [random((3, 4), dtype, seed=n) for n in "abc"]
            yield Case(op, parts, opsets=(12, 13, 23))
        yield Case(op, [random((2, 3, 4)), random((4,)), random((3, 1))])
        yield Case(op, [random((2, 3))], note="one input")
        yield Case(op, [SPECIAL, np.zeros_like(SPECIAL)], note="special values")
    for op in ("Sum", "Mean"):
        yield Case(op, [random((2, 3, 4)), random((4,)), random((3, 1))])
        yield Case(op, [random((2, 3))], note="one input")
    low, high = scalar(-1.0, "float32"), scalar(2.0, "float32")
    for limits in ([low, high], [low], [None, high], [], [high, low]):
        yield Case("Clip", [random((3, 4)), *limits], note=str(len(limits)))
    for dtype in ("int32", "int64", "uint8", "float64", "int8"):
        yield Case("Clip", [random((3, 4), dtype, -9, 9), scalar(1, dtype), scalar(3, dtype)],
                   opsets=(12, 13, 23))
    yield Case("Clip", [SPECIAL, low, high], note="special values")


def where():
    for shapes in (((2, 3, 4),) * 3, ((3, 1), (4,), (2, 1, 1)), ((), (2, 3), (3,))):
        yield Case("Where", [random(shapes[0], "bool"), random(shapes[1], seed="t"),
                             random(shapes[2], seed="f")])
    for dtype in ("int64", "bool", "uint8"):
        yield Case("Where", [random((3, 4), "bool"), random((3, 4), dtype, seed="t"),
                             random((3, 4), dtype, seed="f")], opsets=(11, 16))


CAST_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7,
              "bool": 9, "float16": 10, "float64": 11, "uint32": 12, "uint64": 13}


def casts():
    for source in CAST_TYPES:
        for name, target in CAST_TYPES.items():
            low = 0 if name.startswith("u") else -100
            yield Case("Cast", [random((3, 5), source, low, 100)], {"to": target},
                       opsets=(13,), note=name)
    inside = np.array([-2.7, -2.5, -0.5, 0.5, 2.5, 2.7, 1e6, -1e6], dtype=np.float32)
    for name in ("int32", "int64", "float64", "float16", "bool"):
        yield Case("Cast", [inside], {"to": CAST_TYPES[name]}, note=f"rounding to {name}")
    yield Case("Cast", [np.array([1e9, 3e9, 1e19, 0, 1.8e19])], {"to": CAST_TYPES["uint64"]},
               note="large")
    yield Case("Cast", [np.array([np.nan, np.inf, -np.inf, 0, -0.0], np.float32)],
               {"to": CAST_TYPES["bool"]}, note="special values")
    yield Case("CastLike", [random((3, 5)), scalar(1, "int32")], opsets=(15, 19, 23))


FAMILIES = {function.__name__: function
            for function in (unary, binary, division, powers, extremes, where, casts)}
