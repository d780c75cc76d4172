"""Cases of the operator Attention."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

from case import Case, random


def qkv(batch=2, heads=4, key_heads=4, queries=3, keys=5, size=8, value_size=8):
    """Query, key and value of rank 4."""
    return [random((batch, heads, queries, size), low=-1, high=1, seed="q"),
            random((batch, key_heads, keys, size), low=-1, high=1, seed="k"),
            random((batch, key_heads, keys, value_size), low=-1, high=1, seed="v")]


def flat(tensors):
    """Query, key and value of rank 3."""
    return [np.ascontiguousarray(t.transpose(0, 2, 1, 3).reshape(t.shape[0], t.shape[2], -1))
            for t in tensors]


def attention(inputs, attributes=None, **options):
    # The number of heads must be known to divide the last size.
    static = (0, 1, 2) if inputs[0].ndim == 3 else ()
    return Case("Attention", inputs, attributes or {}, opsets=(23,), static=static, **options)


def attentions():
    yield attention(qkv())
    yield attention(qkv(value_size=6), note="value size")
    yield attention(flat(qkv()), {"q_num_heads": 4, "kv_num_heads": 4})
    yield attention(qkv(key_heads=2), note="grouped heads")
    yield attention(flat(qkv(key_heads=1)), {"q_num_heads": 4, "kv_num_heads": 1})
    yield attention(qkv(), {"scale": 0.3})
    yield attention(qkv(), {"softcap": 0.5})
    yield attention(qkv(keys=3), {"is_causal": 1})
    for shape in ((3, 5), (1, 5), (2, 1, 3, 5), (2, 4, 3, 5), (1, 3, 5)):
        yield attention([*qkv(), random(shape, seed="m")], note="float mask")
        yield attention([*qkv(), random(shape, "bool", seed="m") | (np.arange(5) == 0)],
                        note="bool mask")
    mask = random((3, 5), "bool") | (np.arange(5) == 0)
    yield attention([*qkv(), mask], {"softcap": 2.0, "scale": 0.7}, note="mask and softcap")
    masked = np.ones((3, 5), dtype=bool)
    masked[1] = False
    yield attention([*qkv(), masked], note="masked row")
    query, key, value = qkv(keys=2)
    past = [random((2, 4, 3, 8), low=-1, high=1, seed="pk"),
            random((2, 4, 3, 8), low=-1, high=1, seed="pv")]
    results = ("y", "present_key", "present_value")
    yield attention([query, key, value, None, *past], outputs=results)
    yield attention([query, key, value, random((3, 5), seed="m"), *past], outputs=results)
    yield attention([*flat([query, key, value]), None, *past],
                    {"q_num_heads": 4, "kv_num_heads": 4}, outputs=results)
    query, key, value = qkv(queries=2, keys=2)
    yield attention([query, key, value, None, *past], {"is_causal": 1}, outputs=results)


FAMILIES = {"attentions": attentions}
