"""What a submission uses that knows the answers: told to the teacher, never punished in silence.

Read off the source, outside the kernel, and off the list of modules the kernel had loaded. Code
that goes to lengths to hide can't be seen in full; what is computed rather than written is named.
"""

import ast
import re
from collections.abc import Iterable, Iterator

CLOSED = ("tradeoff.diagnosis", "tradeoff.scenarios", "tradeoff.checks", "tradeoff.cli")
OPEN = {f"tradeoff.checks.{name}" for name in ("grade", "arguments", "solution", "progress", "*")}
# Rooms that load closed ones for their own purposes, and the call that loads an assignment.
LOADERS = ("tradeoff.calculators", "tradeoff.charts", "tradeoff.lab", "tradeoff.memo")
MENTIONS = re.compile(
    r"\btradeoff\.(?:diagnosis|scenarios|cli)\b|\btradeoff\.checks\.(?!grade|arguments)\w+"
    r"|\btradeoff diagnose\b|\bsolutions[/\\]"
)
ALLOWED_HERE = {"tradeoff.checks"}  # the package itself; what is inside it is closed
MACHINERY = {"sys.modules", "sys._getframe", "gc.get_objects", "gc.get_referrers"}
IMPORTERS = {"__import__", "importlib.import_module", "import_module", "exec", "eval"}


def is_closed(module: str, allows: Iterable[str] = ()) -> bool:
    """Whether a dotted name is the reference's or the judge's, and not handed to the learner."""
    if module in ALLOWED_HERE or module in OPEN:
        return False
    if any(module == name or module.startswith(f"{name}.") for name in allows):
        return False
    return any(module == name or module.startswith(f"{name}.") for name in CLOSED)


def uses(sources: Iterable[str], allows: Iterable[str] = ()) -> list[list[str]]:
    """For each cell's source, in order, what it does that the teacher should see; often nothing.

    Names bound to modules in one cell are known in the next.
    """
    allowed, bound = tuple(allows), {"tradeoff": "tradeoff"}
    return [_unique(_cell(source, bound, allowed)) for source in sources]


def loaded(modules: Iterable[str], sources: Iterable[str], allows: Iterable[str] = ()) -> list[str]:
    """The closed modules of a kernel's list that nothing harmless explains."""
    names, allowed = list(modules), tuple(allows)
    if any(name.startswith(LOADERS) for name in names):
        return []
    if any(re.search(r"\bchecks\.arguments\(", source) for source in sources):
        return []
    core = {"assignment", "forms", "judge", "record", "mistakes", "report", "memory", "shrink"}
    core |= {"study", "scan"}
    own = {f"tradeoff.checks.{name}" for name in core}
    # What the task hands out loads its room, and what that needs of it.
    rooms = {room for room in CLOSED for name in allowed if name in names and name.startswith(room)}
    return sorted(
        name
        for name in names
        if is_closed(name, allowed) and name not in own and not name.startswith(tuple(rooms))
    )


def _unique(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def _cell(source: str, bound: dict[str, str], allows: tuple[str, ...]) -> Iterator[str]:
    lines = source.splitlines()
    magic = [line for line in lines if line.lstrip().startswith(("%", "!"))]
    for line in magic:
        if found := MENTIONS.search(line):
            yield f"mentions {found[0]!r} in a magic"
    plain = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines]
    try:
        tree = ast.parse("\n".join(plain))
    except SyntaxError:  # it can't run either, but another cell may read it
        yield from (f"mentions {found[0]!r}" for found in MENTIONS.finditer(source))
        return
    for node in ast.walk(tree):
        yield from _node(node, bound, allows)


def _node(node: ast.AST, bound: dict[str, str], allows: tuple[str, ...]) -> Iterator[str]:
    match node:
        case ast.Import(names):
            for each in names:
                bound[each.asname or each.name.split(".")[0]] = (
                    each.name if each.asname else each.name.split(".")[0]
                )
                if is_closed(each.name, allows):
                    yield f"imports {each.name}"
        case ast.ImportFrom(module=str(module), names=names):
            for each in names:
                full = f"{module}.{each.name}"
                bound[each.asname or each.name] = full
                if is_closed(full, allows):
                    yield f"imports {full}"
        case ast.Attribute():
            name = _dotted(node, bound)
            if name is not None and is_closed(name, allows):
                yield f"uses {name}"
            if name in MACHINERY:
                yield f"reaches into the interpreter by {name}"
        case ast.Call(func=func, args=[first, ast.Constant(str(attribute)), *_]) if (
            _dotted(func, bound) == "getattr"
        ):
            name = _dotted(first, bound)
            if name is not None and is_closed(f"{name}.{attribute}", allows):
                yield f"uses {name}.{attribute}"
        case ast.Call(func=func, args=[first, *_]) if _dotted(func, bound) in IMPORTERS:
            if not isinstance(first, ast.Constant):
                yield f"computes what it hands to {_dotted(func, bound)}"
        case ast.Constant(str(text)):
            for found in MENTIONS.finditer(text):
                if not is_closed(found[0]) or is_closed(found[0], allows):
                    yield f"mentions {found[0]!r}"


def _dotted(node: ast.AST, bound: dict[str, str]) -> str | None:
    """``a.b.c`` with the module that `a` stands for put in its place."""
    match node:
        case ast.Name(name):
            return bound.get(name, name)
        case ast.Attribute(value, attr):
            inner = _dotted(value, bound)
            return None if inner is None else f"{inner}.{attr}"
    return None
