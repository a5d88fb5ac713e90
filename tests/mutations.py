"""What may be wrong in a statement or a module: the text, each time with one small fault in it.

Owns the faults; knows neither tests nor files. Of SQL they are made among its tokens, of Python
among the nodes of its tree, which leaves out comments and layout. What DuckDB's parser refuses is
no fault that anybody could commit, and left out.
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import duckdb


@dataclass(frozen=True, slots=True)
class Mutant:
    """`text` is the whole file; `change` says what is other in it, before and after."""

    line: int
    change: str
    text: str


class _Token(NamedTuple):
    text: str
    start: int
    end: int


_TOKENS: Final = re.compile(
    r"(?P<skip>--[^\n]*|\s+)|'(?:[^']|'')*'|\"[^\"]*\"|\$?\w+"
    r"|<>|<=|>=|<<|>>|//|::|\W"
)
# What stands for what, in both directions; longer ones first where one begins another.
_SWAPS: Final = (
    ("<", "<="), (">", ">="), ("=", "<>"), ("+", "-"), ("*", "//"), ("<<", ">>"), ("&", "|"),
    ("AND", "OR"), ("TRUE", "FALSE"), ("UNION ALL", "UNION"), ("LEFT JOIN", "INNER JOIN"),
    ("NULLS FIRST", "NULLS LAST"), ("min (", "max ("), ("greatest (", "least ("),
    ("bool_or (", "bool_and ("), ("IS NOT NULL", "IS NULL"),
    ("IS NOT DISTINCT FROM", "IS DISTINCT FROM"),
)  # fmt: skip
_ONE_WAY: Final = (
    ("IS NOT DISTINCT FROM", "="), ("IS DISTINCT FROM", "<>"), ("%", "//"), ("sum (", "max ("),
    ("DISTINCT", ""), ("NOT", ""), ("JOIN", "LEFT JOIN"), ("DESC", ""), ("abs (", "("),
    ("sign (", "("), ("WHERE", "WHERE TRUE OR"),
)  # fmt: skip
# Words of which one alone would be another fault than it seems.
_PARTS: Final = {
    "NOT": ("IS NOT", "NOT MATCHED"),
    "DISTINCT": ("IS DISTINCT", "NOT DISTINCT"),
    "JOIN": ("LEFT JOIN", "INNER JOIN", "CROSS JOIN"),
    "UNION": ("UNION ALL",),
}


def sql_mutants(text: str) -> Iterator[Mutant]:
    """Every fault of a statement, in order of place."""
    tokens = [
        _Token(one[0], one.start(), one.end())
        for one in _TOKENS.finditer(text)
        if one["skip"] is None
    ]
    seen = {text}
    for at in range(len(tokens)):
        for start, end, put in _faults(text, tokens, at):
            changed = text[:start] + put + text[end:]
            if changed not in seen and _parses(changed):
                seen.add(changed)
                line = text.count("\n", 0, start) + 1
                before = " ".join(text[start:end].split())
                yield Mutant(line, f"{_around(text, start, end, before)} → {put or '–'}", changed)


def _around(text: str, start: int, end: int, before: str) -> str:
    """What is changed, with what stands beside it on its line."""
    left = text[:start].rpartition("\n")[2].strip()[-24:]
    right = text[end:].partition("\n")[0].strip()[:24]
    return f"{left} [{before}] {right}".strip()


def _parses(sql: str) -> bool:
    try:
        return bool(duckdb.extract_statements(sql))
    except duckdb.Error:
        return False


def _faults(text: str, tokens: list[_Token], at: int) -> Iterator[tuple[int, int, str]]:
    """From where to where, and what to put there."""
    token = tokens[at]
    pairs = [*_SWAPS, *((new, old) for old, new in _SWAPS), *_ONE_WAY]
    for old, new in pairs:
        words = old.split()
        those = tokens[at : at + len(words)]
        if [one.text.upper() for one in those] == [word.upper() for word in words]:
            if any(_stands(tokens, at, part) for part in _PARTS.get(old, ())):
                continue
            yield token.start, those[-1].end, new.replace(" (", "(")
    if token.text.isdecimal():
        yield token.start, token.end, str(int(token.text) + 1)
        if int(token.text):
            yield token.start, token.end, str(int(token.text) - 1)
    elif token.text.startswith("'") and not _stands(tokens, at + 1, ":"):
        yield token.start, token.end, "'another'"
    if token.text == "coalesce":
        last = tokens[_reach(tokens, at + 2, {")"})].start
        yield tokens[_reach(tokens, at + 2, {","})].start, last, ""
    if token.text == "BY":
        yield from _keys(tokens, at)
    if token.text == "WHEN" and not _stands(tokens, at + 1, "NOT MATCHED"):
        since, until = tokens[at + 1].start, tokens[_reach(tokens, at + 1, {"THEN"}) - 1].end
        if text[since] != "'":  # else a value that is compared
            yield since, until, f"NOT ({text[since:until]})"


def _stands(tokens: list[_Token], at: int, words: str) -> bool:
    """Whether these words stand there, the token at `at` being one of them."""
    parts = words.split()
    return any(
        [one.text.upper() for one in tokens[first : first + len(parts)]] == parts
        for first in range(max(at - len(parts) + 1, 0), at + 1)
    )


def _keys(tokens: list[_Token], at: int) -> Iterator[tuple[int, int, str]]:
    """Orders that turn round, and parts that are put together."""
    kind, first = tokens[at - 1].text, at + 1
    while True:
        end = _reach(tokens, first, {",", ")", "ROWS", "NULLS", "ORDER", "QUALIFY"})
        last = tokens[end - 1]
        if kind == "ORDER" and last.text != "DESC":
            yield last.end, last.end, " DESC"
        elif kind == "PARTITION":
            yield tokens[first].start, last.end, "1"
        if end == len(tokens) or tokens[end].text != ",":
            return
        first = end + 1


def _reach(tokens: list[_Token], at: int, ends: set[str]) -> int:
    """The first of `ends` from there on that is in no parentheses of its own."""
    depth = 0
    while at < len(tokens):
        text = tokens[at].text.upper()
        if depth == 0 and text in ends:
            return at
        depth += (text in "([{") - (text in ")]}")
        at += 1
    return at


_OPERATORS: Final[dict[type[ast.AST], tuple[type[ast.AST], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.FloorDiv,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.Pow: (ast.Mult,),
    ast.And: (ast.Or,), ast.Or: (ast.And,), ast.BitOr: (ast.BitAnd,), ast.BitAnd: (ast.BitOr,),
}  # fmt: skip
_NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "int"}


def python_mutants(text: str) -> Iterator[Mutant]:
    """Every fault of a module, in the order of its tree."""
    tree = ast.parse(text)
    passed = {id(part) for node in ast.walk(tree) for part in _told_to_tools(node)}
    seen = {ast.unparse(tree)}
    for number, node in enumerate(ast.walk(tree)):
        for which in range(len(list(_changes(node))) if id(node) not in passed else 0):
            changed = copy.deepcopy(tree)
            there = next(one for n, one in enumerate(ast.walk(changed)) if n == number)
            before = _brief(there)
            list(_changes(there))[which]()
            if (told := ast.unparse(changed)) not in seen:
                seen.add(told)
                yield Mutant(_line(node), f"{before} → {_brief(there)}", told)


def _line(node: ast.AST) -> int:
    """Where it stands; of the conditions of a comprehension, where what they are of is named."""
    placed = node.target if isinstance(node, ast.comprehension) else node
    return getattr(placed, "lineno", 0)


def _told_to_tools(node: ast.AST) -> Iterator[ast.AST]:
    """Types, decorators and `strict`: of what is rated they say nothing."""
    wholes = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    wholes += getattr(node, "decorator_list", [])
    wholes += [node.value] if isinstance(node, ast.keyword) and node.arg == "strict" else []
    for whole in wholes:
        if isinstance(whole, ast.AST):
            yield from ast.walk(whole)


def _brief(node: ast.AST) -> str:
    """The node as text; of a statement its head alone."""
    if isinstance(node, ast.If | ast.While):
        node = node.test
    return ast.unparse(node).partition("\n")[0]


def _changes(node: ast.AST) -> Iterator[Callable[[], None]]:
    """What can be done to the node itself, its parts left as they are."""
    match node:
        case ast.Compare():
            for at, one in enumerate(node.ops):
                for other in _OPERATORS[type(one)]:
                    yield partial(node.ops.__setitem__, at, other())
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign():
            for other in _OPERATORS.get(type(node.op), ()):
                yield partial(setattr, node, "op", other())
        case ast.Constant(value=bool() as value):
            yield partial(setattr, node, "value", not value)
        case ast.Constant(value=int() as value):
            yield partial(setattr, node, "value", value + 1)
            yield partial(setattr, node, "value", value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield partial(setattr, node.func, "id", _NAMES[name])
        case ast.UnaryOp(op=ast.USub()):
            yield partial(setattr, node, "op", ast.UAdd())
        case ast.If() | ast.IfExp() | ast.While():
            yield partial(setattr, node, "test", ast.UnaryOp(ast.Not(), node.test))
        case ast.comprehension(ifs=[_, *_]):
            yield partial(setattr, node, "ifs", [])
        case _:
            return
