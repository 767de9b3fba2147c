"""The solver that halmos asks: yices for a moment, then arithmetic on integers instead of bits; `integers.py FILE`.

Products and quotients of unknown numbers are too hard for solvers that work on bits. Here a number is an integer with
known bounds. An operation that may leave its width gets a fresh multiple of 2^width, a quotient a fresh rest; what has
no integer twin here becomes a fresh number within its width. All of that only adds solutions, so that `unsat` holds for
the query, and nothing follows from the rest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cvc5
import z3

Bounds = tuple[int, int]  # inclusive
BITS, INTEGERS = 3, 30  # seconds for each way


class Integers:
    """The query's facts on integers, in SMT-LIB."""

    def __init__(self, facts: list[z3.BoolRef]) -> None:
        self.known: dict[int, Bounds] = {}  # by the id of a term: what the facts say about it
        self.numbers: dict[int, tuple[str, Bounds]] = {}
        self.truths: dict[int, str] = {}
        self.lines: list[str] = []
        self.kept: list[z3.AstRef] = []  # ids are those of living terms
        for _ in range(3):
            for fact in facts:
                self.learn(fact, True)
        for fact in facts:
            self.lines.append(f"(assert {self.truth(fact)})")

    def fresh(self, sort: str, bounds: Bounds | None = None) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(f"(declare-const {name} {sort})")
        if bounds:
            self.lines.append(f"(assert (<= {lit(bounds[0])} {name} {lit(bounds[1])}))")
        return name

    # ------------------------------------------------------------------ bounds that facts give

    def learn(self, fact: z3.BoolRef, holds: bool) -> None:
        """Narrows the bounds of both sides of a comparison that holds, or does not."""
        kind = fact.decl().kind()
        if kind == z3.Z3_OP_NOT:
            self.learn(fact.arg(0), not holds)
        elif kind in (z3.Z3_OP_AND, z3.Z3_OP_OR) and holds == (kind == z3.Z3_OP_AND):
            for part in fact.children():
                self.learn(part, holds)
        elif kind in COMPARISONS:
            less, strict = COMPARISONS[kind]
            a, b = (fact.arg(0), fact.arg(1)) if less == holds else (fact.arg(1), fact.arg(0))
            # a < b or a <= b
            one = int(strict == holds)
            self.narrow(a, (0, self.bounds(b)[1] - one))
            self.narrow(b, (self.bounds(a)[0] + one, 2 ** b.size() - 1))
        elif kind == z3.Z3_OP_EQ and holds and z3.is_bv(fact.arg(0)):
            a, b = fact.arg(0), fact.arg(1)
            self.narrow(a, self.bounds(b))
            self.narrow(b, self.bounds(a))
        elif kind == z3.Z3_OP_EQ and z3.is_bv(fact.arg(0)):
            for a, b in ((fact.arg(0), fact.arg(1)), (fact.arg(1), fact.arg(0))):
                if z3.is_bv_value(a) and a.as_long() == self.bounds(b)[0]:
                    self.narrow(b, (a.as_long() + 1, 2 ** b.size() - 1))

    def narrow(self, term: z3.BitVecRef, bounds: Bounds) -> None:
        self.kept.append(term)
        low, high = self.known.get(term.get_id(), (0, 2 ** term.size() - 1))
        self.known[term.get_id()] = max(low, bounds[0]), min(high, bounds[1])
        # zeros before a number, or the number's low bits
        kind = term.decl().kind()
        if kind == z3.Z3_OP_CONCAT and self.bounds(term)[1] < 2 ** term.children()[-1].size():
            self.narrow(term.children()[-1], self.known[term.get_id()])

    def bounds(self, term: z3.BitVecRef) -> Bounds:
        """Cheap ones; `number` finds closer ones later."""
        low, high = self.known.get(term.get_id(), (0, 2 ** term.size() - 1))
        kind = term.decl().kind()
        if z3.is_bv_value(term):
            return term.as_long(), term.as_long()
        if kind == z3.Z3_OP_CONCAT:
            inner_low = inner_high = 0
            for part in term.children():
                a, b = self.bounds(part)
                inner_low, inner_high = inner_low << part.size() | a, inner_high << part.size() | b
            low, high = max(low, inner_low), min(high, inner_high)
        return low, high

    # ------------------------------------------------------------------ numbers

    def number(self, term: z3.BitVecRef) -> tuple[str, Bounds]:
        """An integer expression of the term's unsigned value, and its bounds."""
        key = term.get_id()
        if key not in self.numbers:
            self.kept.append(term)
            text, bounds = self.translate(term)
            low, high = self.bounds(term)
            if len(text) > 40:
                name = self.fresh("Int")
                self.lines.append(f"(assert (= {name} {text}))")
                text = name
            self.numbers[key] = text, (max(low, bounds[0]), min(high, bounds[1]))
        return self.numbers[key]

    def translate(self, term: z3.BitVecRef) -> tuple[str, Bounds]:
        size, kind = term.size(), term.decl().kind()
        if z3.is_bv_value(term):
            return lit(term.as_long()), (term.as_long(), term.as_long())
        if kind in (z3.Z3_OP_BADD, z3.Z3_OP_BSUB, z3.Z3_OP_BMUL, z3.Z3_OP_BNEG):
            return self.folded(*self.sum_or_product(term), size)
        if kind == z3.Z3_OP_ITE:
            condition = self.truth(term.arg(0))
            (a, one), (b, other) = self.number(term.arg(1)), self.number(term.arg(2))
            return f"(ite {condition} {a} {b})", (min(one[0], other[0]), max(one[1], other[1]))
        if kind in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I, z3.Z3_OP_BUREM, z3.Z3_OP_BUREM_I):
            return self.divided(term.arg(0), term.arg(1), kind in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I), size)
        if kind == z3.Z3_OP_CONCAT:
            text, low, high = "0", 0, 0
            for part in term.children():
                a, bounds = self.number(part)
                text = a if high == 0 else f"(+ (* {lit(2 ** part.size())} {text}) {a})"
                low, high = (low << part.size()) + bounds[0], (high << part.size()) + bounds[1]
            return text, (low, high)
        if kind == z3.Z3_OP_ZERO_EXT:
            return self.number(term.arg(0))
        if kind == z3.Z3_OP_EXTRACT:
            return self.bits(term.arg(0), *term.params())
        if kind in (z3.Z3_OP_BLSHR, z3.Z3_OP_BSHL) and z3.is_bv_value(term.arg(1)) and term.arg(1).as_long() < size:
            by = term.arg(1).as_long()
            if kind == z3.Z3_OP_BLSHR:
                return self.bits(term.arg(0), size - 1, by)
            a, bounds = self.number(term.arg(0))
            return self.folded(f"(* {lit(2**by)} {a})", (bounds[0] << by, bounds[1] << by), size)
        bounds = self.bounds(term)
        return self.fresh("Int", bounds), bounds

    def sum_or_product(self, term: z3.BitVecRef) -> tuple[str, Bounds]:
        """Without folding the result into the width. Constants in the upper half stand for negative numbers."""
        kind = term.decl().kind()
        parts = []
        for child in term.children():
            if z3.is_bv_value(child):
                value = child.as_signed_long()
                parts.append((lit(value), (value, value)))
            elif kind == z3.Z3_OP_BADD and child.decl().kind() == z3.Z3_OP_BMUL and z3.is_bv_value(child.arg(0)):
                parts.append(self.sum_or_product(child))
            else:
                parts.append(self.number(child))
        if kind == z3.Z3_OP_BNEG:
            (text, (low, high)) = parts[0]
            return f"(- {text})", (-high, -low)
        text, (low, high) = parts[0]
        for other, (a, b) in parts[1:]:
            if kind == z3.Z3_OP_BADD:
                text, low, high = f"(+ {text} {other})", low + a, high + b
            elif kind == z3.Z3_OP_BSUB:
                text, low, high = f"(- {text} {other})", low - b, high - a
            else:
                ends = [x * y for x in (low, high) for y in (a, b)]
                text, low, high = f"(* {text} {other})", min(ends), max(ends)
        return text, (low, high)

    def folded(self, text: str, bounds: Bounds, size: int) -> tuple[str, Bounds]:
        """Modulo 2^size."""
        least, most = bounds[0] >> size, bounds[1] >> size
        if least == most == 0:
            return text, bounds
        times = self.fresh("Int", (least, most))
        result = self.fresh("Int", (0, 2**size - 1))
        self.lines.append(f"(assert (= {text} (+ {result} (* {lit(2**size)} {times}))))")
        return result, (0, 2**size - 1)

    def divided(self, a: z3.BitVecRef, b: z3.BitVecRef, quotient: bool, size: int) -> tuple[str, Bounds]:
        (x, (_, most)), (y, (least, largest)) = self.number(a), self.number(b)
        if least == 0:
            bounds = 0, 2**size - 1 if quotient else most
            result = self.fresh("Int", bounds)
            other = self.fresh("Int", (0, 2**size - 1))
        else:
            bounds = 0, most // least if quotient else min(most, largest - 1)
            result = self.fresh("Int", bounds)
            other = self.fresh("Int", (0, most))
        q, rest = (result, other) if quotient else (other, result)
        exact = f"(and (= {x} (+ (* {q} {y}) {rest})) (< {rest} {y}))"
        if least == 0:
            by_zero = f"(= {q} {lit(2**size - 1)})" if quotient else f"(= {rest} {x})"
            exact = f"(ite (= {y} 0) {by_zero} {exact})"
        self.lines.append(f"(assert {exact})")
        return result, bounds

    def bits(self, whole: z3.BitVecRef, high: int, low: int) -> tuple[str, Bounds]:
        text, bounds = self.number(whole)
        if low == 0 and bounds[1] < 2 ** (high + 1):
            return text, bounds
        above = self.fresh("Int", (0, bounds[1] >> high + 1))
        middle = self.fresh("Int", (0, min(2 ** (high + 1 - low) - 1, bounds[1] >> low)))
        below = self.fresh("Int", (0, 2**low - 1))
        split = f"(+ (* {lit(2 ** (high + 1))} {above}) (* {lit(2**low)} {middle}) {below})"
        self.lines.append(f"(assert (= {text} {split}))")
        return middle, (0, min(2 ** (high + 1 - low) - 1, bounds[1] >> low))

    # ------------------------------------------------------------------ truths

    def truth(self, term: z3.BoolRef) -> str:
        key = term.get_id()
        if key not in self.truths:
            self.kept.append(term)
            text = self.compared(term)
            if len(text) > 40:
                name = self.fresh("Bool")
                self.lines.append(f"(assert (= {name} {text}))")
                text = name
            self.truths[key] = text
        return self.truths[key]

    def compared(self, term: z3.BoolRef) -> str:
        kind = term.decl().kind()
        if kind in CONNECTIVES:
            return f"({CONNECTIVES[kind]} {' '.join(self.truth(part) for part in term.children())})"
        if z3.is_true(term) or z3.is_false(term):
            return "true" if z3.is_true(term) else "false"
        if kind == z3.Z3_OP_EQ and z3.is_bv(term.arg(0)):
            return f"(= {self.number(term.arg(0))[0]} {self.number(term.arg(1))[0]})"
        if kind == z3.Z3_OP_EQ and z3.is_bool(term.arg(0)):
            return f"(= {self.truth(term.arg(0))} {self.truth(term.arg(1))})"
        if kind in COMPARISONS:
            less, strict = COMPARISONS[kind]
            sign = ("<" if less else ">") + ("" if strict else "=")
            return f"({sign} {self.number(term.arg(0))[0]} {self.number(term.arg(1))[0]})"
        if kind in SIGNED:
            return f"({SIGNED[kind]} {self.signed(term.arg(0))} {self.signed(term.arg(1))})"
        return self.fresh("Bool")

    def signed(self, term: z3.BitVecRef) -> str:
        text, bounds = self.number(term)
        half = 2 ** (term.size() - 1)
        if bounds[1] < half:
            return text
        return f"(ite (< {text} {lit(half)}) {text} (- {text} {lit(2 * half)}))"


COMPARISONS = {  # less, strict
    z3.Z3_OP_ULT: (True, True),
    z3.Z3_OP_ULEQ: (True, False),
    z3.Z3_OP_UGT: (False, True),
    z3.Z3_OP_UGEQ: (False, False),
}
SIGNED = {z3.Z3_OP_SLT: "<", z3.Z3_OP_SLEQ: "<=", z3.Z3_OP_SGT: ">", z3.Z3_OP_SGEQ: ">="}
CONNECTIVES = {
    z3.Z3_OP_NOT: "not",
    z3.Z3_OP_AND: "and",
    z3.Z3_OP_OR: "or",
    z3.Z3_OP_XOR: "xor",
    z3.Z3_OP_IMPLIES: "=>",
    z3.Z3_OP_ITE: "ite",
}


def lit(value: int) -> str:
    return str(value) if value >= 0 else f"(- {-value})"


def is_unsat(lines: list[str], seconds: float) -> bool:
    solver = cvc5.Solver()
    solver.setOption("tlimit-per", str(int(seconds * 1000)))
    parser = cvc5.InputParser(solver)
    text = "\n".join(["(set-logic QF_NIA)", *lines])
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "query")
    while not (command := parser.nextCommand()).isNull():
        command.invoke(solver, parser.getSymbolManager())
    return solver.checkSat().isUnsat()


def main(path: str) -> int:
    yices = Path(sys.executable).parent / "yices-smt2"
    command = [yices, "--smt2-model-format", "--bvconst-in-decimal", path]
    try:
        print(subprocess.run(command, capture_output=True, text=True, timeout=BITS).stdout, end="")
        return 0
    except subprocess.TimeoutExpired:
        pass
    facts = z3.parse_smt2_string(Path(path).read_text().replace("(get-model)", ""))
    print("unsat" if is_unsat(Integers(list(facts)).lines, INTEGERS) else "unknown")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
