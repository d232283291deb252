"""The templates of our messages, as the source text holds them: what a catalogue must translate.

Every expression that ends as a message is read from the syntax tree: what errors are made of,
the reasons of rejections, what is assigned to a ``reason`` or ``trouble``, and, from there, the
names, parameters and functions that these come from. What cannot be known before the program
runs is a place, written ``{0}``, ``{1}``, … in the order of the English text.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("dsn_nlp", "pipelines")
PLACE = None
Parts = tuple[str | None, ...]
# Names whose value is a message wherever they stand.
TOLD = frozenset({"reason", "trouble", "sample_trouble", "problem"})
# Functions whose texts are all messages, given on in lists or through a variable.
TELLING = frozenset({"needs_text", "check_floors", "judge", "lost_by_quantization"})
# Functions whose returned texts are messages, where no call shows it.
RETURNING = frozenset({
    "problem_of", "_explain_sqlite", "_explain_postgres", "_annotation", "_label_studio",
    "_doccano", "_weigh",
})  # fmt: skip
# A variable that holds the class of error to raise.
_CLASS_CHOSEN = "kind"
# Functions that only name a place, or speak the language of the screen already.
NAMING = frozenset({"describe", "say", "either"})
_OF_INTEREST = (ast.Call, ast.Dict, ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign)
_WORD = re.compile(r"[^\W\d_]{2,}")
_MOST = 12  # alternatives of one message that are written out; above, the part is a place
_RAISED = ("Error", "_Unreadable", "_Stop")
_SAME_TEXT = frozenset({"str", "strip", "rstrip", "lstrip", "removeprefix", "removesuffix"})


@dataclass(frozen=True)
class Function:
    """A function, and the module that it stands in."""

    module: "Module"
    node: ast.FunctionDef

    def parameters(self) -> list[str]:
        """Name its parameters in order, without ``self``."""
        args = self.node.args
        names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        return [name for name in names if name not in ("self", "cls")]


@dataclass
class Module:
    """A module's tree, and where its names come from."""

    path: str
    tree: ast.Module
    functions: dict[str, list[Function]] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    scopes: dict[ast.AST, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[ast.AST, str] = field(default_factory=dict)
    nodes: list[ast.AST] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)


def read_templates(root: Path = ROOT) -> dict[str, list[str]]:
    """Read every template from the source text.

    :return: template to the places in the source (``path:line``) that make it, sorted.
    """
    modules = [
        _read(path, root) for name in FOLDERS for path in sorted((root / name).rglob("*.py"))
    ]
    reading = _Reading(modules)
    reading.run()
    return {template: sorted(reading.found[template]) for template in sorted(reading.found)}


def written(parts: Parts) -> str:
    """Write the parts of a message as a template, its places numbered; ``{{`` for a brace."""
    pieces, places = [], 0
    for part in _joined(parts):
        if part is PLACE:
            pieces.append(f"{{{places}}}")
            places += 1
        else:
            pieces.append(part.replace("{", "{{").replace("}", "}}"))
    return "".join(pieces)


def _read(path: Path, root: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = Module(str(path.relative_to(root)), tree)
    for node in ast.walk(tree):
        if isinstance(node, _OF_INTEREST):
            module.nodes.append(node)
        if isinstance(node, ast.ClassDef):
            module.classes |= dict.fromkeys(ast.walk(node), node.name)
        elif isinstance(node, ast.FunctionDef):
            module.functions.setdefault(node.name, []).append(Function(module, node))
            for inner in ast.walk(node):
                module.scopes[inner] = node  # the innermost one comes last
        elif isinstance(node, ast.ImportFrom):
            module.imported |= {alias.name for alias in node.names}
    for statement in tree.body:
        for name, value in _assigned(statement):
            module.constants[name] = value
    return module


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Give the names that a statement sets, with their values."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
                yield from ((t.id, v) for t, v in pairs if isinstance(t, ast.Name))
            yield from ((name, node.value) for name in _target_names(target))
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value:
        yield from ((name, node.value) for name in _target_names(node.target))


def _target_names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Attribute):
        return [target.attr]
    if isinstance(target, ast.Tuple):
        return [n for one in target.elts for n in _target_names(one) if n in TOLD]
    return []


def _joined(parts: Parts) -> list[str | None]:
    """Merge neighbouring texts, and neighbouring places."""
    merged: list[str | None] = []
    for part in parts:
        if merged and (part is PLACE) == (merged[-1] is PLACE):
            merged[-1] = PLACE if part is PLACE else f"{merged[-1]}{part}"
        elif part != "":
            merged.append(part)
    return merged


class _Reading:
    """One reading of all modules; what flows into a message is followed until nothing is new."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.found: dict[str, set[str]] = {}
        self._fields = dict(_told_fields(modules))
        self._functions: dict[str, list[Function]] = {}
        for module in modules:
            for name, functions in module.functions.items():
                self._functions.setdefault(name, []).extend(functions)
        # Names of functions that take a message.
        self._hot = {
            name
            for name, functions in self._functions.items()
            if any(TOLD & set(function.parameters()) for function in functions)
        }
        self._flowing: set[tuple[str, str, str]] = set()  # module, function, parameter
        self._returning: set[ast.AST] = set()
        self._changed = True

    def run(self) -> None:
        """Read all modules, again as long as something new flows into messages."""
        for module in self.modules:
            for name, functions in module.functions.items():
                for function in functions:
                    if name in TELLING:
                        self._tell(function)
                    elif name in RETURNING:
                        self._follow_returns(function)
        while self._changed:
            self._changed = False
            for module in self.modules:
                for node in module.nodes:
                    for value in self._messages(module, node):
                        self._keep(module, value)

    def _messages(self, module: Module, node: ast.AST) -> Iterator[ast.expr]:
        """Give the expressions of a node that are messages."""
        if isinstance(node, ast.Call):
            yield from self._given(module, node)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in TOLD:
                    yield value
        else:
            yield from (value for name, value in _assigned(node) if name in TOLD)

    def _given(self, module: Module, call: ast.Call) -> Iterator[ast.expr]:
        name = _name(call.func)
        if name == _CLASS_CHOSEN or (
            name.endswith(_RAISED) and name not in self._fields and name != "AssertionError"
        ):
            yield from call.args[:1]
        elif name == "__init__" and _is_super(call):
            if module.classes.get(call, "").endswith(_RAISED):
                yield from call.args[:1]
        elif name in self._fields:
            yield from _argument(call, *self._fields[name])
        for function in self._called(module, call) if name in self._hot else ():
            names = function.parameters()
            for i, parameter in enumerate(names):
                flow = (function.module.path, function.node.name, parameter)
                if parameter in TOLD or flow in self._flowing:
                    yield from _argument(call, i, parameter)

    def _called(self, module: Module, call: ast.Call) -> list[Function]:
        name = _name(call.func)
        own = module.functions.get(name, [])
        if own or name not in module.imported:
            return own
        return self._functions.get(name, [])

    def _keep(self, module: Module, value: ast.expr) -> None:
        for parts in self._read(module, value, 0):
            self._note(module, value, parts)

    def _note(self, module: Module, node: ast.expr, parts: Parts) -> None:
        """Note a template; a word alone is a code, and no message."""
        told = [part for part in parts if part and _WORD.search(part)]
        if any(" " in part for part in told):
            place = f"{module.path}:{node.lineno}"
            self.found.setdefault(written(parts), set()).add(place)

    def _read(self, module: Module, node: ast.expr, depth: int) -> list[Parts]:
        """Read what texts an expression may be."""
        if depth > 6:
            return [(PLACE,)]
        read = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        found: list[Parts] = read(module, node, depth + 1) if read else [(PLACE,)]
        return list(dict.fromkeys(found)) or [(PLACE,)]

    def _read_constant(self, _module: Module, node: ast.Constant, _depth: int) -> list[Parts]:
        if node.value is None:
            return []
        return [(node.value,)] if isinstance(node.value, str) else [(PLACE,)]

    def _read_joinedstr(self, module: Module, node: ast.JoinedStr, depth: int) -> list[Parts]:
        pieces: list[list[Parts]] = []
        for value in node.values:
            inner = value.value if isinstance(value, ast.FormattedValue) else value
            pieces.append(self._part(module, inner, depth))
        return self._crossed(pieces, module, node)

    def _read_binop(self, module: Module, node: ast.BinOp, depth: int) -> list[Parts]:
        if not isinstance(node.op, ast.Add):
            return [(PLACE,)]
        return self._crossed(
            [self._part(module, node.left, depth), self._part(module, node.right, depth)],
            module,
            node,
        )

    def _crossed(self, pieces: list[list[Parts]], module: Module, node: ast.expr) -> list[Parts]:
        count = 1
        for i, alternatives in enumerate(pieces):
            if count * len(alternatives) > _MOST:
                self._apart(module, node, alternatives)
                pieces[i] = [(PLACE,)]
            count *= len(pieces[i])
        return [tuple(part for parts in one for part in parts) for one in product(*pieces)]

    def _part(self, module: Module, node: ast.expr, depth: int) -> list[Parts]:
        """Read a part of a message: short alternatives stand in it, others are its places."""
        found = self._read(module, node, depth)
        return found if all(len(_joined(parts)) <= 5 for parts in found) else [(PLACE,)]

    def _apart(self, module: Module, node: ast.expr, alternatives: list[Parts]) -> None:
        for parts in alternatives:
            self._note(module, node, parts)

    def _read_ifexp(self, module: Module, node: ast.IfExp, depth: int) -> list[Parts]:
        both = (node.body, node.orelse)
        return [parts for one in both for parts in self._read(module, one, depth)]

    def _read_tuple(self, module: Module, node: ast.Tuple, depth: int) -> list[Parts]:
        return [parts for one in node.elts for parts in self._read(module, one, depth)]

    def _read_boolop(self, module: Module, node: ast.BoolOp, depth: int) -> list[Parts]:
        return [parts for one in node.values for parts in self._read(module, one, depth)]

    def _read_namedexpr(self, module: Module, node: ast.NamedExpr, depth: int) -> list[Parts]:
        return self._read(module, node.value, depth)

    def _read_name(self, module: Module, node: ast.Name, depth: int) -> list[Parts]:
        scope = module.scopes.get(node)
        values = _local(scope, node) if scope else []
        if scope and node.id in Function(module, scope).parameters():
            self._follow(module, scope, node.id)
            values = [*values, ast.Call(func=ast.Name(id=""), args=[], keywords=[])]
        if not values and node.id in module.constants:
            values = [module.constants[node.id]]
        return [parts for value in values for parts in self._read(module, value, depth)]

    def _follow(self, module: Module, scope: ast.FunctionDef, parameter: str) -> None:
        flow = (module.path, scope.name, parameter)
        if flow not in self._flowing:
            self._flowing.add(flow)
            self._hot.add(scope.name)
            self._changed = True

    def _read_call(self, module: Module, node: ast.Call, depth: int) -> list[Parts]:
        name = _name(node.func)
        if name == "str" and node.args:
            return self._read(module, node.args[0], depth)
        if isinstance(node.func, ast.Attribute):
            if name in _SAME_TEXT:
                return self._read(module, node.func.value, depth)
            if name == "get":
                rest = [p for one in node.args[1:2] for p in self._read(module, one, depth)]
                return [*self._values(module, node.func.value, depth), *rest]
        if name not in NAMING:
            for function in self._called(module, node):
                self._follow_returns(function)
        return [(PLACE,)]

    def _follow_returns(self, function: Function) -> None:
        if function.node in self._returning:
            return
        self._returning.add(function.node)
        for node in ast.walk(function.node):
            if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
                told = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                for value in told:
                    if not (isinstance(value, ast.Constant) and _is_code(value.value)):
                        self._keep(function.module, value)

    def _tell(self, function: Function) -> None:
        """Keep every text of a function, its docstring apart."""
        inner = {id(v) for n in ast.walk(function.node) if isinstance(n, ast.JoinedStr)
                 for v in n.values}  # fmt: skip
        for node in ast.walk(ast.Module(function.node.body[1:], [])):
            if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in inner:
                self._keep(function.module, node)

    def _read_subscript(self, module: Module, node: ast.Subscript, depth: int) -> list[Parts]:
        values = self._values(module, node.value, depth)
        return values or self._read(module, node.value, depth)

    def _values(self, module: Module, node: ast.expr, depth: int) -> list[Parts]:
        """Read the values of a dictionary, or of a name for one."""
        if isinstance(node, ast.Name):
            node = module.constants.get(node.id, node)
        if not isinstance(node, ast.Dict):
            return [(PLACE,)] if isinstance(node, ast.Constant) else []
        return [parts for one in node.values for parts in self._read(module, one, depth)]


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    if isinstance(function, ast.Call) and _name(function.func) == "type":
        return "Error"  # type(error)(…): an error of the same kind, told anew
    return function.id if isinstance(function, ast.Name) else ""


def _is_super(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Call) and _name(owner.func) == "super"


def _is_code(value: object) -> bool:
    return isinstance(value, str) and " " not in value


def _argument(call: ast.Call, position: int, name: str) -> Iterator[ast.expr]:
    if position < len(call.args):
        yield call.args[position]
    yield from (keyword.value for keyword in call.keywords if keyword.arg == name)


def _local(scope: ast.FunctionDef, name: ast.Name) -> list[ast.expr]:
    """Give what a name may hold where it is read: its last sure assignment, and later ones."""
    found = [(value, value.lineno) for told, value in _all_assigned(scope) if told == name.id]
    if len(found) < 2:
        return [value for value, _ in found]
    sure = max((line for line in _sure_lines(scope.body, name)), default=0)
    return [value for value, line in found if sure <= line <= name.lineno or not sure]


@cache
def _all_assigned(scope: ast.FunctionDef) -> tuple[tuple[str, ast.expr], ...]:
    return tuple(pair for node in ast.walk(scope) for pair in _assigned(node))


def _sure_lines(body: list[ast.stmt], name: ast.Name) -> Iterator[int]:
    """Give the lines of assignments that every way to the place of reading passes."""
    for statement in body:
        if statement.lineno <= name.lineno <= (statement.end_lineno or 0):
            for part in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(statement, part, [])
                yield from _sure_lines(inner, name)
        elif statement.lineno < name.lineno:
            yield from (v.lineno for n, v in _assigned(statement) if n == name.id)


def _told_fields(modules: list[Module]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Give the classes with a field or parameter for a message, and where it stands."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                names = [
                    one.target.id
                    for one in node.body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                ]
                for one in node.body:
                    if isinstance(one, ast.FunctionDef) and one.name == "__init__":
                        names = Function(module, one).parameters()
                        if node.name.endswith("Error") and "message" not in names:
                            yield node.name, (99, "message")  # it makes its message by itself
                for name in TOLD & set(names):
                    yield node.name, (names.index(name), name)
