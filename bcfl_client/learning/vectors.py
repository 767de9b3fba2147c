"""Products, sums and exponentials of floats whose rounding the source fixes, for compiled code.

Left to itself the compiler decides which products it fuses with their sums and in which order it adds many, and decides
anew by what else it has compiled: one source, several results. Here it decides nothing, on any machine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["ROWS", "SAMPLES", "exponential", "fma", "scalar_product", "scalar_products"]

_LANES = 8  # partial sums of a scalar product: a vector register of float32
ROWS, SAMPLES = 4, 2  # of a tile: as many sums as a core has under way at once
_LOWEST = -104.0  # below it an exponential is nearer to 0 than to the smallest float32


def _fuse(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _fma(builder, *values)

    return a(a, b, c), build


def _multiply(rows: int, samples: int) -> Any:
    """A function of `weights` [in, out] and `above` [n, out] that writes the scalar products of `rows` of the one from
    `i` on and `samples` of the other from `b` on to `below` [n, in]. All contiguous. Any tile gives the same."""

    def multiply(typing: Any, weights: Any, i: Any, above: Any, b: Any, below: Any) -> Any:
        kinds = (weights, above, below)
        if any(kind.layout != "C" or kind.ndim != 2 for kind in kinds):
            return None

        def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            arrays = [context.make_array(kind)(context, builder, value) for kind, value in zip(kinds, values[::2])]
            line, sample = values[1], values[3]
            lines = [_row(builder, arrays[0], line, r) for r in range(rows)]
            steps = [_row(builder, arrays[1], sample, s) for s in range(samples)]
            outs = [_row(builder, arrays[2], sample, s) for s in range(samples)]
            for (r, s), total in _sums(builder, lines, steps, builder.extract_value(arrays[0].shape, 1)).items():
                place = builder.gep(outs[s], [builder.add(line, ir.Constant(line.type, r))])
                builder.store(total, place)
            return context.get_dummy_value()

        return types.void(weights, types.intp, above, types.intp, below), build

    return intrinsic(multiply)


fma: Any = intrinsic(_fuse)
scalar_product, scalar_products = _multiply(1, 1), _multiply(ROWS, SAMPLES)


def _root(power: int) -> float:
    """2^(power / 32), rounded once: by integers, since a library may round otherwise."""
    value = 1 << (power + 32 * 60)
    for _ in range(5):
        value = math.isqrt(value)
    return value / 2**60


# After exp2f of the Arm Optimized Routines, which the GNU C library has too: x is (n + r) * ln 2 / 32 with n whole, and
# 2^(r / 32) is 1 + r * (c + r * (b + r * a)).
_ROOTS = np.array([_root(power) for power in range(32)])
_PER_LN2 = float.fromhex("0x1.71547652b82fep+5")
_A, _B, _C = (float.fromhex(c) for c in ("0x1.c6af84b912394p-20", "0x1.ebfce50fac4f3p-13", "0x1.62e42ff0c52d6p-6"))


@njit(cache=True, nogil=True, error_model="numpy")
def exponential(x):  # type: ignore[no-untyped-def]  # numba's
    """e^x for x <= 0, as float64 whose rounding to float32 is off by at most 0.502 units in the last place."""
    x = np.float64(x)
    if math.isnan(x):
        return x
    if x < _LOWEST:
        return 0.0
    whole = np.rint(_PER_LN2 * x)
    r, n = fma(_PER_LN2, x, -whole), int(whole)
    power = fma(fma(_A, r, _B), r * r, fma(_C, r, 1.0))
    return math.ldexp(power * _ROOTS[n & 31], n >> 5)


def _row(builder: Any, array: Any, first: Any, number: int) -> Any:
    """Where row `first` + `number` begins."""
    row = builder.add(first, ir.Constant(first.type, number))
    return builder.gep(array.data, [builder.mul(row, builder.extract_value(array.shape, 1))])


def _sums(builder: Any, lines: list[Any], steps: list[Any], count: Any) -> dict[tuple[int, int], Any]:
    """The scalar products of each of `lines` with each of `steps`, pointers to `count` floats: by lanes, which are then
    added up half by half, and by one what fills no vector."""
    kind = lines[0].type.pointee
    vector = ir.VectorType(kind, _LANES)
    pairs = [(r, s) for r in range(len(lines)) for s in range(len(steps))]
    whole = builder.and_(count, ir.Constant(count.type, -_LANES))
    totals = {}
    for wide, low, high, step in ((vector, ir.Constant(count.type, 0), whole, _LANES), (kind, whole, count, 1)):
        zero = ir.Constant(wide, [0.0] * _LANES if wide == vector else 0.0)
        sums = {pair: cgutils.alloca_once_value(builder, zero) for pair in pairs}
        with cgutils.for_range_slice(builder, low, high, ir.Constant(count.type, step), count.type) as (at, _):
            places = [builder.bitcast(builder.gep(one, [at]), wide.as_pointer()) for one in (*lines, *steps)]
            values = [builder.load(place, align=4) for place in places]
            for r, s in pairs:
                total = _fma(builder, values[r], values[len(lines) + s], builder.load(sums[r, s]))
                builder.store(total, sums[r, s])
        totals[wide] = {pair: builder.load(sums[pair]) for pair in pairs}
    return {pair: builder.fadd(_sum(builder, totals[vector][pair]), totals[kind][pair]) for pair in pairs}


def _sum(builder: Any, vector: Any) -> Any:
    """The upper half is added to the lower one, until one lane is left."""
    nothing = ir.Constant(vector.type, ir.Undefined)
    for width in (4, 2, 1):
        lower, upper = (
            ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [first + lane % width for lane in range(_LANES)])
            for first in (0, width)
        )
        vector = builder.fadd(
            builder.shuffle_vector(vector, nothing, lower), builder.shuffle_vector(vector, nothing, upper)
        )
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    kind = a.type
    lanes, scalar = (f"v{kind.count}", kind.element) if isinstance(kind, ir.VectorType) else ("", kind)
    name = f"llvm.fma.{lanes}{'f32' if scalar == ir.FloatType() else 'f64'}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    return builder.call(function, [a, b, c])
