"""Operations on floats that Python has no word for, each one instruction or two of a processor.

Compiled code calls them; they take float32 or float64 and return the same. A loop around them stays
free of branches, which is what LLVM needs to let it run on several numbers at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actlib._core.extras import extra

with extra("fast"):
    from llvmlite import ir
    from numba import extending, types

Emit = Callable[..., Any]

#: Of each type: its width and the bits of its fraction.
_LAYOUT = {"float": (32, 23), "double": (64, 52)}


def _intrinsic(declared: Emit) -> Any:
    """Declare to Numba, by whose types the first argument is left for the caller to give."""
    return extending.intrinsic(declared)


def _emitted(emit: Emit) -> Emit:
    """Numba's code generator that has `emit(builder, *arguments)` write the instructions."""
    return lambda context, builder, signature, arguments: emit(builder, *arguments)


def _llvm(name: str, builder: Any, *arguments: Any) -> Any:
    """A call of one of LLVM's own functions, all of whose arguments are of one type."""
    kind = arguments[0].type
    called = ir.FunctionType(kind, [kind] * len(arguments))
    return builder.call(builder.module.declare_intrinsic(name, [kind], called), arguments)


@_intrinsic
def select(typing: Any, condition: Any, this: Any, other: Any) -> Any:
    """One of two numbers that are both computed: the first where the condition holds."""
    if this == other:
        return this(condition, this, other), _emitted(lambda builder, *of: builder.select(*of))
    return None


@_intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, rounded once.

    The same everywhere, but quick only where the processor has such an instruction, as those
    from x86-64-v3 on and all of 64-bit ARM have; elsewhere the C library computes it.
    """
    if a == b == c:
        return a(a, b, c), _emitted(lambda builder, *of: _llvm("llvm.fma", builder, *of))
    return None


@_intrinsic
def fabs(typing: Any, a: Any) -> Any:
    """`a` without its sign."""
    return a(a), _emitted(lambda builder, x: _llvm("llvm.fabs", builder, x))


@_intrinsic
def sqrt(typing: Any, a: Any) -> Any:
    """The square root, rounded once."""
    return a(a), _emitted(lambda builder, x: _llvm("llvm.sqrt", builder, x))


@_intrinsic
def copysign(typing: Any, a: Any, b: Any) -> Any:
    """`a` with the sign of `b`."""
    if a == b:
        return a(a, b), _emitted(lambda builder, *of: _llvm("llvm.copysign", builder, *of))
    return None


def polynomial(coefficients: Sequence[float]) -> Any:
    """Horner's scheme, of fused multiplications and additions, from the highest power down."""

    @_intrinsic
    def evaluated(typing: Any, x: Any) -> Any:
        def emit(builder: Any, x: Any) -> Any:
            first, *others = (ir.Constant(x.type, float(c)) for c in coefficients)
            for coefficient in others:
                first = _llvm("llvm.fma", builder, first, x, coefficient)
            return first

        return x(x), _emitted(emit)

    return evaluated


def _on_bits(emit: Emit) -> Emit:
    """Numba's code generator for numbers that are taken for the integers with the same bits."""

    def generate(builder: Any, *arguments: Any) -> Any:
        width, fraction = _LAYOUT[str(arguments[0].type)]
        integers = [builder.bitcast(a, ir.IntType(width)) for a in arguments]
        emitted = emit(builder, ir.Constant(ir.IntType(width), fraction), *integers)
        return builder.bitcast(emitted, arguments[0].type)

    return _emitted(generate)


@_intrinsic
def bits_plus(typing: Any, a: Any, b: Any) -> Any:
    """The sum of two numbers as integers."""
    return a(a, b), _on_bits(lambda builder, fraction, i, j: builder.add(i, j))


@_intrinsic
def bits_minus(typing: Any, a: Any, b: Any) -> Any:
    """The difference of two numbers as integers."""
    return a(a, b), _on_bits(lambda builder, fraction, i, j: builder.sub(i, j))


@_intrinsic
def bits_halved(typing: Any, a: Any) -> Any:
    """Half of a number as an unsigned integer, rounded down."""
    return a(a), _on_bits(lambda builder, fraction, i: builder.lshr(i, i.type(1)))


@_intrinsic
def into_exponent(typing: Any, a: Any) -> Any:
    """The last bits of `a` as the exponent of a number whose fraction is 0: a power of 2."""
    return a(a), _on_bits(lambda builder, fraction, i: builder.shl(i, fraction))


@_intrinsic
def from_exponent(typing: Any, a: Any) -> Any:
    """The exponent of a positive number as its last bits, with zeros before."""
    return a(a), _on_bits(lambda builder, fraction, i: builder.lshr(i, fraction))


def _mirrored(builder: Any, i: Any) -> Any:
    """A float's bits as an integer, of which the negative ones are turned to rise with the float.

    Doing it again undoes it.
    """
    width = i.type.width
    below_sign = builder.lshr(builder.ashr(i, i.type(width - 1)), i.type(1))
    return builder.xor(i, below_sign)


def _negative_nans(kind: Any) -> Any:
    """How many numbers are not one and have a sign: mirrored, they are the lowest integers."""
    return ir.IntType(_LAYOUT[str(kind)][0])((1 << _LAYOUT[str(kind)][1]) - 1)


@_intrinsic
def rank(typing: Any, a: Any) -> Any:
    """An integer that rises with `a`; that of every NaN is above those of all numbers."""

    def emit(builder: Any, x: Any) -> Any:
        nans = _negative_nans(x.type)
        return builder.sub(_mirrored(builder, builder.bitcast(x, nans.type)), nans)

    return getattr(types, f"int{a.bitwidth}")(a), _emitted(emit)


@_intrinsic
def of_rank(typing: Any, rank: Any) -> Any:
    """The number of that rank."""
    found = getattr(types, f"float{rank.bitwidth}")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(found)
        bits = builder.add(arguments[0], _negative_nans(kind))
        return builder.bitcast(_mirrored(builder, bits), kind)

    return found(rank), emit


@_intrinsic
def wide(typing: Any) -> Any:
    """Use the widest vectors of the processor in the function that calls this.

    LLVM keeps to half of them on processors that once ran slower with all.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite lists the attributes that it knows, and leaves this one out.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), emit
