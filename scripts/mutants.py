"""The mutants of a Solidity file, read off solc's syntax tree, and the file that has all of them behind switches."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from dataclasses import dataclass

PAIRS = ["< <=", "> >=", "== !=", "&& ||", "+ -", "* /", "+= -=", "*= /=", "++ --", "true false"]
OPERATORS = {a: b for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])}
NO_CODE = {"ImportDirective", "EventDefinition", "ErrorDefinition", "StructDefinition"}
SKIPPED = {"typeDescriptions", "commonType", "documentation", "externalReferences", "functionName", "variableNames"}
NO_CODE |= {"EnumDefinition", "EmitStatement", "ElementaryTypeName", "ArrayTypeName", "UserDefinedTypeName", "Mapping"}

# What is wrapped around which operand, or around the call. With 1 for # it is another operator, with 0 nothing.
# Operands are evaluated from the right, so that the stack below the source is as deep as without it.
ASSEMBLY = {
    "add": (1, "mul(sub(1, shl(1, #)), @)"),
    "sub": (1, "mul(sub(1, shl(1, #)), @)"),
    "lt": (1, "add(#, @)"),
    "slt": (1, "add(#, @)"),
    "gt": (0, "add(#, @)"),
    "sgt": (0, "add(#, @)"),
    "eq": (None, "xor(#, @)"),
    "iszero": (None, "xor(#, @)"),
    "and": (None, "xor(#, @)"),
    "or": (None, "xor(#, @)"),
}

# A run picks a mutant through the block's coinbase, which only functions that are not `pure` can read.
SWITCH_FILE = "contracts/IsMutant.sol"
SWITCH = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

function isMutant(uint256 number) view returns (bool) {
    return block.coinbase == address(uint160(number));
}
"""


def without_pure(source: str) -> str:
    return re.sub(r"\bpure\b", "view", source)


@dataclass(frozen=True)
class Mutant:
    """`text` in place of the bytes from `start` to `end` of the file."""

    path: str
    line: int
    start: int
    end: int
    text: bytes
    operator: str
    is_statement: bool
    has_to_be_compiled: bool  # not possible behind isMutant
    cast: str  # type that a bare number has there
    template: str = ""  # in assembly, where a condition is no expression: @ stands for the source, # for the switch

    def key(self, source: bytes) -> str:
        return f"{self.path}:{self.start}-{self.end} {self.text.decode()} # {source[self.start : self.end].decode()}"

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.text + source[self.end :]

    def diff(self, source: bytes) -> str:
        lines = [text.decode().splitlines() for text in (source, self.applied(source))]
        found = list(difflib.unified_diff(*lines, n=0, lineterm=""))[3:]
        return "\n".join("    " + line for line in found)


def mutants_of(path: str, source: bytes, tree: dict) -> list[Mutant]:
    """All mutants of a file, in its order; `tree` is solc's."""
    finder = Finder(path, source)
    finder.visit(tree, {}, None, "", False)
    return sorted(finder.found.values(), key=lambda mutant: (mutant.start, mutant.end, mutant.text))


class Finder:
    """Walks the syntax tree of one file; a method for each kind of node that has mutants."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source = path, source
        self.found: dict[tuple[int, int, bytes], Mutant] = {}

    def span(self, node: dict) -> tuple[int, int]:
        start, length, _ = map(int, node["src"].split(":"))
        return start, start + length

    def add(self, name, at, old_end, text, outer, cast, apart, is_statement=False) -> None:
        """`text` for the source from `at` to `old_end`, as a change of the whole node `outer`."""
        start, end = outer
        line = self.source.count(b"\n", 0, at) + 1
        new = self.source[start:at] + text + self.source[old_end:end]
        mutant = Mutant(self.path, line, start, end, new, name, is_statement, apart, cast)
        self.found.setdefault((start, end, new), mutant)

    def visit(self, node, parent: dict, outer, cast: str, apart: bool) -> None:
        """`outer` is the largest constant expression or conversion around, which solc types as one."""
        if isinstance(node, list):
            for each in node:
                self.visit(each, parent, outer, cast, apart)
            return
        if not isinstance(node, dict) or node.get("nodeType") in NO_CODE or "src" not in node:
            return
        kind = node["nodeType"]
        type_name = node.get("typeDescriptions", {}).get("typeIdentifier") or ""
        apart = apart or (kind == "VariableDeclaration" and bool(node.get("constant") or node.get("stateVariable")))
        is_conversion = kind == "FunctionCall" and node.get("kind") == "typeConversion"
        if not type_name.startswith("t_rational") and not is_conversion:
            outer = None
        elif outer is None and (type_name.startswith("t_rational") or self.is_number(node)):
            outer = self.span(node)
        handler = getattr(self, "on_" + kind, None)
        if handler:
            handler(node, parent, outer or self.span(node), cast if outer else "", apart)
        for name, child in node.items():
            if kind == "YulForLoop" and name in ("pre", "post"):
                continue  # would hardly end
            if isinstance(child, (dict, list)) and name not in SKIPPED:
                wanted = cast if outer else self.wanted(node, name)
                self.visit(child, node, outer, "" if is_conversion else wanted, apart)

    def is_number(self, call: dict) -> bool:
        arguments = call["arguments"]
        return len(arguments) == 1 and arguments[0]["typeDescriptions"]["typeIdentifier"].startswith("t_rational")

    def wanted(self, node: dict, name: str) -> str:
        """The type that a bare number takes as this child."""
        kind = node["nodeType"]
        if kind == "BinaryOperation" and name in ("leftExpression", "rightExpression"):
            is_uneven = node["operator"] in ("<<", ">>", "**")
            common = "uint256" if is_uneven else (node.get("commonType") or {}).get("typeString", "")
            found = "" if is_uneven and name == "rightExpression" else common
        elif kind == "Assignment" and name == "rightHandSide":
            found = node["leftHandSide"]["typeDescriptions"]["typeString"]
        elif kind == "VariableDeclarationStatement" and name == "initialValue" and node["declarations"][0]:
            found = node["declarations"][0]["typeDescriptions"]["typeString"]
        else:
            found = ""
        return found if re.fullmatch(r"u?int\d+", found) else ""

    def swap(self, name: str, at: int, end: int, outer, cast: str, apart: bool) -> None:
        token = self.source[at:end]
        if token.decode() in OPERATORS:
            self.add(name, at, end, OPERATORS[token.decode()].encode(), outer, cast, apart)

    def on_BinaryOperation(self, node, parent, outer, cast, apart) -> None:
        end_left, start_right = self.span(node["leftExpression"])[1], self.span(node["rightExpression"])[0]
        at = self.source.index(node["operator"].encode(), end_left, start_right)
        self.swap("operator", at, at + len(node["operator"]), outer, cast, apart)

    def on_Assignment(self, node, parent, outer, cast, apart) -> None:
        end_left, start_right = self.span(node["leftHandSide"])[1], self.span(node["rightHandSide"])[0]
        at = self.source.index(node["operator"].encode(), end_left, start_right)
        self.swap("operator", at, at + len(node["operator"]), outer, cast, apart)

    def on_UnaryOperation(self, node, parent, outer, cast, apart) -> None:
        start, end = self.span(node)
        at = start if node["prefix"] else end - len(node["operator"])
        if node["operator"] in ("++", "--"):
            self.swap("operator", at, at + 2, outer, cast, apart)

    def on_Literal(self, node, parent, outer, cast, apart) -> None:
        start, end = self.span(node)
        if node["kind"] == "bool":
            self.swap("bool", start, end, outer, cast, apart)
        elif node["kind"] == "number":
            number = re.match(rb"0x[0-9a-fA-F]+|\d[\d_]*", self.source[start:end])
            if number and self.source[start + number.end() : end][:1] not in (b"e", b"E", b"."):
                value = int(number[0].replace(b"_", b""), 0) + 1
                self.add("constant", start, start + number.end(), str(value).encode(), outer, cast, apart)

    def on_IfStatement(self, node, parent, outer, cast, apart) -> None:
        span = self.span(node["condition"])
        if node["condition"].get("operator") not in ("==", "!="):
            self.add("negate", *span, b"!(" + self.source[slice(*span)] + b")", span, "", apart)
        body = node["trueBody"]
        while body["nodeType"] == "Block" and len(body["statements"]) == 1:
            body = body["statements"][0]
        if body["nodeType"] == "RevertStatement" and not node.get("falseBody"):
            self.add("guard", *span, b"false", span, "", apart)

    def on_ExpressionStatement(self, node, parent, outer, cast, apart) -> None:
        call = node["expression"]
        is_delete = call["nodeType"] == "UnaryOperation" and call["operator"] == "delete"
        is_in_head = parent["nodeType"] == "ForStatement" and node is not parent["body"]
        if (is_delete or call["nodeType"] in ("Assignment", "FunctionCall")) and not is_in_head:
            start, end = self.span(node)
            end = self.source.index(b";", end - 1) + 1
            apart = apart or "storage pointer" in json.dumps(call.get("leftHandSide", {}).get("typeDescriptions", {}))
            self.add("delete", start, end, b"{}", (start, end), "", apart, is_statement=True)

    def wrap(self, name: str, node: dict, template: str, text: bytes = b"") -> None:
        """`template` around a node of assembly, which is `text` without a switch."""
        start, end = self.span(node)
        new = text or template.replace("#", "1").encode().replace(b"@", self.source[start:end])
        line = self.source.count(b"\n", 0, start) + 1
        mutant = Mutant(self.path, line, start, end, new, name, False, False, "", template)
        self.found.setdefault((start, end, new), mutant)

    def on_YulFunctionCall(self, node, parent, outer, cast, apart) -> None:
        operand, template = ASSEMBLY.get(node["functionName"]["name"], (None, ""))
        if template:
            self.wrap("assembly", node if operand is None else node["arguments"][operand], template)

    def on_YulLiteral(self, node, parent, outer, cast, apart) -> None:
        if node["kind"] == "number" and parent["nodeType"] != "YulCase":
            self.wrap("assembly constant", node, "add(#, @)")

    def on_YulExpressionStatement(self, node, parent, outer, cast, apart) -> None:
        self.wrap("assembly delete", node, "if iszero(#) { @ }", b"{}")

    def on_YulAssignment(self, node, parent, outer, cast, apart) -> None:
        self.wrap("assembly delete", node, "if iszero(#) { @ }", b"{}")


def with_switches(source: bytes, numbered: list[tuple[int, Mutant]]) -> bytes:
    """The file with all these mutants in it, each behind its number."""
    spans: dict[tuple[int, int], list[tuple[int, Mutant]]] = defaultdict(list)
    for number, mutant in numbered:
        spans[mutant.start, mutant.end].append((number, mutant))

    def wrapped(text: bytes, mutants: list[tuple[int, Mutant]]) -> bytes:
        if mutants[0][1].template:
            for number, mutant in mutants:
                around = mutant.template.replace("#", f"eq(coinbase(), {number})").encode()
                text = around.replace(b"@", text)
            return text
        if mutants[0][1].is_statement:
            return b"{ if (!isMutant(%d)) { %b } }" % (mutants[0][0], text)
        cast = mutants[0][1].cast.encode()
        choices = [b"isMutant(%d) ? %b(%b) : " % (number, cast, mutant.text) for number, mutant in mutants]
        return b"(" + b"".join(choices) + b"%b(%b))" % (cast, text)

    def rendered(start: int, end: int, inside: list[tuple[int, int]]) -> bytes:
        out, at = b"", start
        while inside:
            (low, high), rest = inside[0], inside[1:]
            nested = [span for span in rest if span[0] < high]
            out += source[at:low] + wrapped(rendered(low, high, nested), spans[low, high])
            at, inside = high, rest[len(nested) :]
        return out + source[at:end]

    text = rendered(0, len(source), sorted(spans, key=lambda span: (span[0], -span[1])))
    return without_pure(text.decode()).encode() + b'\nimport {isMutant} from "%b";\n' % SWITCH_FILE.encode()


SWITCHED = re.compile(rb"(?:isMutant\(|coinbase\(\), )(\d+)\)")


def culprits(text: bytes, error: dict) -> set[int]:
    """The numbers of the mutants that may be why solc refuses a file with switches."""
    start, end = error["sourceLocation"]["start"], error["sourceLocation"]["end"]
    if error["type"] == "TypeError":
        inside = SWITCHED.search(text, start, end)
        found = [inside[1]] if inside else SWITCHED.findall(text, 0, start)[-1:]
    else:
        # too deep a stack, for example: all of the function
        after = text.find(b"\n    function ", start)
        after = after if after >= 0 else len(text)
        found = SWITCHED.findall(text, max(text.rfind(b"function ", 0, start), 0), after)
    return {int(number) for number in found}
