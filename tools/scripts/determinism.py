"""Finds code that a replay could not repeat: clocks, randomness, I/O, threads, iteration over sets.

    python -m tools.scripts.determinism

A worker runs workflows without the SDK's sandbox. This check reads the syntax tree of everything that runs in them,
and names file, line and what to write instead. It guesses types from what a file says (annotations, displays, calls)
and runs no code, so it misses a set that hides behind an untyped name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.scripts.fingerprint import BEGINS, ROOT, file_of, modules_reached

ROOMS = ("workflows", "lifecycle", "program")
"""Rooms that are checked whole. `matching` is not among them: workflows don't import it."""

LOADS = "program"
"""The room whose loader reads files. Those of its modules that workflows don't import may do I/O."""

CLOCK = "time comes in as an argument; a workflow asks `workflow.now()`"
CHANCE = "derive ids from keys; a workflow draws from `workflow.random()` and `workflow.uuid4()`"
OUTSIDE = "leave it to an activity and take its result; a workflow logs with `workflow.logger`"
THREADS = "workflows run in the SDK's event loop alone: leave it to an activity"
ORDERED = "`workflow.wait` and `workflow.as_completed` keep an order"
PROCESS = "differs between processes: compare values, or take `hashlib` for a digest"
SHARED = "all workflows of a worker share the module: keep it in the workflow or in the state"
SORTED = "the order of a set differs between processes: write `sorted(...)`, or keep a tuple or a dict"
UNKNOWN = "is not known to be the same in each replay. If it is, add it to PURE in tools/scripts/determinism.py"

MODULES = {
    **dict.fromkeys(("time", "calendar"), CLOCK),
    **dict.fromkeys(("random", "secrets", "uuid", "numpy"), CHANCE),
    **dict.fromkeys(("threading", "_thread", "multiprocessing", "concurrent", "queue", "signal"), THREADS),
}
"""Modules that no checked file imports, and what to do instead."""

TOUCHES_THE_WORLD = (
    "aiosmtplib", "glob", "http", "httpx", "importlib", "io", "logging", "mail", "os", "pathlib", "platform",
    "runtime", "select", "shutil", "smtplib", "socket", "sqlalchemy", "sqlite3", "ssl", "store", "structlog",
    "subprocess", "sys", "tempfile", "urllib",
)  # fmt: skip
"""Modules for I/O, which nothing in workflows imports."""

PURE = (
    "__future__", "activities.failures", "activities.messages", "asyncio", "base64", "collections",
    "contextlib", "copy", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib", "itertools",
    "json", "lifecycle", "math", "operator", "program", "pydantic", "pydantic_core", "re", "string",
    "temporalio", "types", "typing", "unicodedata", "workflows", "zoneinfo",
)  # fmt: skip
"""What code in workflows may import."""

NAMES = {
    **dict.fromkeys(("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"), CLOCK),
    **dict.fromkeys(("datetime.date.today",), CLOCK),
    **dict.fromkeys(("asyncio.wait", "asyncio.as_completed"), ORDERED),
    **dict.fromkeys(("asyncio.to_thread", "asyncio.run", "asyncio.Runner", "asyncio.new_event_loop"), THREADS),
    **dict.fromkeys(
        (
            "asyncio.create_subprocess_exec",
            "asyncio.create_subprocess_shell",
            "asyncio.open_connection",
            "asyncio.start_server",
        ),
        OUTSIDE,
    ),
}
"""Names that no checked file uses."""

BUILTINS = {
    **dict.fromkeys(("open", "print", "input", "breakpoint"), OUTSIDE),
    **dict.fromkeys(("hash", "id"), PROCESS),
}
"""Builtins that nothing in workflows calls."""

SETS = ("set", "frozenset", "Set", "AbstractSet", "MutableSet", "FrozenSet")
SETS_OF_SETS = ("union", "intersection", "difference", "symmetric_difference", "copy")
ANY_ORDER = ("all", "any", "bool", "frozenset", "len", "max", "min", "set", "sorted", "sum")
"""Calls to which the order of what they are given does not matter, unless ties are broken by it (`key=`)."""
IN_ORDER = (
    "chain", "chain.from_iterable", "deque", "dict", "enumerate", "filter", "fromkeys", "iter", "islice",
    "join", "list", "map", "next", "reduce", "extend", "starmap", "tuple", "zip",
)  # fmt: skip
CHANGES = (
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popleft", "remove",
    "setdefault", "update",
)  # fmt: skip
"""Methods that change a list, a dict, a set or a deque."""


@dataclass(frozen=True, order=True)
class Finding:
    """A place in a file that a replay could not repeat, and what to write instead."""

    file: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {self.instead}"


def findings() -> list[Finding]:
    """All findings in what runs in workflows, in the order of the files."""
    in_workflows = {file_of(module) for module in modules_reached(BEGINS)}
    rooms = {path for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(in_workflows | rooms)}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    sets = attributes_that_are_sets(trees.values())
    return sorted(
        finding
        for path, tree in trees.items()
        for finding in check(
            tree,
            str(path.relative_to(ROOT)),
            only_loads=path not in in_workflows and path.is_relative_to(ROOT / LOADS),
            sets=sets,
        )
    )


def check(
    tree: ast.Module, file: str, *, only_loads: bool = False, sets: frozenset[str] | None = None
) -> list[Finding]:
    """The findings in one file. `sets` are the fields and functions known as sets; by default those of this file.
    `only_loads`: a module of the loader, which workflows don't import."""
    reader = _Reader(tree, file, only_loads, attributes_that_are_sets([tree]) if sets is None else sets)
    reader.visit(tree)
    return sorted(reader.found)


def attributes_that_are_sets(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Names of fields and functions that are annotated as sets wherever they are defined."""
    are: set[str] = set()
    are_not: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    (are if _annotates_a_set(field.annotation) else are_not).add(field.target.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            (are if _annotates_a_set(node.returns) else are_not).add(node.name)
    return frozenset(are - are_not)


def _annotates_a_set(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in SETS
        case ast.Subscript(value=value):
            return _annotates_a_set(value)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _annotates_a_set(left) or _annotates_a_set(right)
        case _:
            return False


class _Reader(ast.NodeVisitor):
    """Reads one file from the top to the bottom."""

    def __init__(self, tree: ast.Module, file: str, only_loads: bool, sets: frozenset[str]) -> None:
        self.file, self.only_loads, self.sets = file, only_loads, sets
        self.found: set[Finding] = set()
        self.imported: dict[str, str] = {}
        """What a name in this file means, with its module."""
        self.scopes: list[dict[str, bool]] = [{}]
        """Names of the module and of the functions around, with whether each is a set."""
        self.globals = {name for name, value in _assigned(tree.body) if _is_a_container(value)}
        self.any_order: set[ast.expr] = set()
        """Generators whose values are taken in any order."""

    def report(self, node: ast.AST, what: str, instead: str) -> None:
        self.found.add(Finding(self.file, getattr(node, "lineno", 0), what, instead))

    # -- imports and names ---------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.imported[alias.asname or top] = alias.name if alias.asname else top
            self.check_import(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names:
            self.imported[alias.asname or alias.name] = f"{module}.{alias.name}"
        self.check_import(node, module, *(f"{module}.{alias.name}" for alias in node.names))

    def check_import(self, node: ast.AST, module: str, *members: str) -> None:
        top = module.partition(".")[0]
        for name in (module, *members):
            if name in NAMES:
                self.report(node, f"imports `{name}`", NAMES[name])
        if top in MODULES:
            self.report(node, f"imports `{module}`", MODULES[top])
        elif self.only_loads:
            return
        elif top in TOUCHES_THE_WORLD:
            self.report(node, f"imports `{module}`", OUTSIDE)
        elif not any(name in PURE for name in (top, module, *members)):
            self.report(node, f"imports `{module}`", f"`{module}` {UNKNOWN}")

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self.meaning(node)
        if name in NAMES:
            self.report(node, f"uses `{name}`", NAMES[name])
        elif node.attr == "run_in_executor":
            self.report(node, "uses `run_in_executor`", THREADS)
        self.generic_visit(node)

    def meaning(self, node: ast.expr) -> str:
        """The dotted name of an expression with its module; empty where it has none."""
        match node:
            case ast.Name(id=name):
                return self.imported.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                before = self.meaning(value)
                return f"{before}.{attr}" if before else ""
            case _:
                return ""

    def is_ours(self, name: str) -> bool:
        """Whether the name of a builtin means something else here."""
        return name in self.imported or any(name in scope for scope in self.scopes)

    # -- what workflows would share ------------------------------------------------------------------------------

    def visit_Global(self, node: ast.Global) -> None:
        self.report(node, f"changes the module's `{', '.join(node.names)}`", SHARED)

    def changed(self, node: ast.expr) -> None:
        """A container is changed here; that of the module must not be, once it is made."""
        inside = self.scopes[1:]
        if not inside or not isinstance(node, ast.Name) or any(node.id in scope for scope in inside):
            return
        if node.id in self.globals:
            self.report(node, f"changes the module's `{node.id}`", SHARED)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del):
            self.changed(node.value)
        self.generic_visit(node)

    # -- sets ----------------------------------------------------------------------------------------------------

    def is_a_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name):
                return next((scope[name] for scope in reversed(self.scopes) if name in scope), False)
            case ast.Attribute(attr=attr):
                return attr in self.sets
            case ast.Call(func=ast.Name(id=name)):
                return name in SETS or name in self.sets
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return attr in self.sets or (attr in SETS_OF_SETS and self.is_a_set(value))
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
                return any(self.is_a_set(side) or _keys(side) for side in (left, right))
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_a_set(body) or self.is_a_set(orelse)
            case ast.BoolOp(values=values):
                return any(self.is_a_set(value) for value in values)
            case ast.NamedExpr(value=value):
                return self.is_a_set(value)
            case _:
                return False

    def in_order(self, node: ast.expr, how: str) -> None:
        """The values of an expression are taken one after another."""
        if self.is_a_set(node):
            self.report(node, f"{how} the set `{ast.unparse(node)}`", SORTED)

    def visit_For(self, node: ast.For) -> None:
        self.in_order(node.iter, "iterates over")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        keyed = any(keyword.arg == "key" for keyword in node.keywords)
        if name in ANY_ORDER and not keyed:
            self.any_order.update(each for each in node.args if isinstance(each, ast.GeneratorExp))
        elif name in ANY_ORDER or name in IN_ORDER:
            for each in node.args:
                self.in_order(each, f"`{name}` takes in order")
        if isinstance(function, ast.Attribute):
            if name in CHANGES:
                self.changed(function.value)
            if name == "pop" and not node.args and self.is_a_set(function.value):
                self.report(node, f"pops from the set `{ast.unparse(function.value)}`", SORTED)
        elif name in BUILTINS and not self.only_loads and not self.is_ours(name):
            self.report(node, f"calls `{name}`", BUILTINS[name])
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self.in_order(node.value, "unpacks")
        self.generic_visit(node)

    def visit_Set(self, node: ast.Set) -> None:
        for each in node.elts:  # a set in a set: no order is lost
            self.visit(each.value if isinstance(each, ast.Starred) else each)

    def comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp) -> None:
        if not isinstance(node, ast.SetComp) and node not in self.any_order:
            for each in node.generators:
                self.in_order(each.iter, "iterates over")
        self.generic_visit(node)

    visit_ListComp = visit_GeneratorExp = visit_DictComp = visit_SetComp = comprehension

    # -- what names hold -----------------------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        every = node.args
        arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs]
        scope = {each.arg: _annotates_a_set(each.annotation) for each in arguments}
        scope |= {each.arg: False for each in (every.vararg, every.kwarg) if each is not None}
        self.scopes.append(scope)
        self.generic_visit(node)
        self.scopes.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = function

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scopes[-1][target.id] = self.is_a_set(node.value)
            elif isinstance(target, ast.Tuple | ast.List) and len(target.elts) > 1:
                self.in_order(node.value, "unpacks")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.scopes[-1][node.target.id] = _annotates_a_set(node.annotation)
        self.generic_visit(node)


def _keys(node: ast.expr) -> bool:
    """Whether this is `mapping.keys()` or `.items()`: with `&`, `|`, `-` and `^` it makes a set."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "items")


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The names that a module assigns, with their values."""
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case _:
                pass


def _is_a_container(node: ast.expr) -> bool:
    match node:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in ("list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict")
        case _:
            return False


def main() -> None:
    """Print all findings; exit code 1 where there are some."""
    if found := findings():
        raise SystemExit("\n".join(str(finding) for finding in found))


if __name__ == "__main__":
    main()
