"""What a submission uses that knows the answers: told to the teacher, never punished in silence.

Closed to every assignment are the diagnosis, the scenarios, the insides of the checks and the
command line; an assignment closes more (`Assignment.forbids`: what in the model or elsewhere does
its task's work) and opens what its notebook imports by itself (`Assignment.allows`).

Read off the source, outside the kernel: names bound by any import, by ``name = module``, and
reached by attributes, ``getattr`` and ``importlib`` with literal names, also under another module's
name for them; magics and text that name what is closed. And read off the list of modules that the
kernel had loaded: a closed one that no open one imports is told.

What it can't see: a name put together while running and handed to something else than an importer
or a tradeoff module's ``getattr``, ``__dict__`` and ``vars``, a function's ``__globals__``, names
that a container or a call hands on, code copied out of the package, and a list of modules that the
kernel has tampered with. A notebook that calls ``checks.grade`` or the like in a cell of its own
loads what its assignment does, so that list says nothing more there.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tradeoff.checks.rooms import file_of, full_name, reached

CLOSED = ("tradeoff.diagnosis", "tradeoff.scenarios", "tradeoff.checks", "tradeoff.cli")
CALLS = ("grade", "arguments", "solution", "progress")  # what a learner may call of the checks
# The package `checks` itself is open; what is inside it, but for those calls, is closed.
OPEN = {"tradeoff.checks", *(f"tradeoff.checks.{name}" for name in (*CALLS, "*"))}
PRACTICE = re.compile(rf"\bchecks\.(?:{'|'.join(CALLS)})\(|\bfrom tradeoff\.checks import\b")
MENTIONS = (
    r"\btradeoff\.(?:diagnosis|scenarios|cli)(?:\.\w+)*"
    rf"|\btradeoff\.checks\.(?!(?:{'|'.join(CALLS)})\b)\w+"
    r"|\btradeoff diagnose\b|\bsolutions[/\\]"
)
MACHINERY = {"sys.modules", "sys._getframe", "gc.get_objects", "gc.get_referrers"}
IMPORTERS = {"__import__", "importlib.import_module", "exec", "eval"}


@dataclass(frozen=True)
class _Rules:
    allows: tuple[str, ...]
    forbids: tuple[str, ...]

    def closed(self, name: str) -> bool:
        """Whether a dotted name is the reference's, the judge's or forbidden, under any name."""
        return any(map(self._closed, {name, full_name(name)} if _is_ours(name) else {name}))

    def _closed(self, name: str) -> bool:
        if name in OPEN or (_beneath(name, self.allows) and not _beneath(name, self.forbids)):
            return False
        return _beneath(name, (*CLOSED, *self.forbids))

    def holds_closed(self, module: str) -> bool:
        """Whether something closed is inside this module."""
        return any(name.startswith(f"{module}.") for name in (*CLOSED, *self.forbids))

    def starred(self, module: str) -> list[str]:
        """Forbidden names, no modules, that ``from module import *`` brings."""
        within = (name for name in self.forbids if name.rpartition(".")[0] == module)
        return [name for name in within if file_of(name) is None]

    @cached_property
    def mentions(self) -> re.Pattern[str]:
        own = (re.escape(name).replace(r"\.", "[.:]") for name in self.forbids)
        return re.compile("|".join([MENTIONS, *(rf"\b{name}\b" for name in own)]))

    def mentioned(self, text: str) -> Iterator[str]:
        for found in self.mentions.finditer(text):
            if not _beneath(found[0], self.allows):
                yield f"mentions {found[0]!r}"


def uses(
    sources: Iterable[str], allows: Iterable[str] = (), forbids: Iterable[str] = ()
) -> list[list[str]]:
    """For each cell's source, in order, what it does that the teacher should see; often nothing.

    Names bound to modules in one cell are known in the next.
    """
    rules, bound = _Rules(tuple(allows), tuple(forbids)), {"tradeoff": "tradeoff"}
    return [_fullest(_cell(source, bound, rules)) for source in sources]


def loaded(
    modules: Iterable[str],
    sources: Iterable[str],
    allows: Iterable[str] = (),
    forbids: Iterable[str] = (),
) -> list[str]:
    """The closed modules of a kernel's list that no open module on it imports.

    `sources` are those of the cells that are run as they stand, graded ones not among them.
    """
    names, rules = set(modules), _Rules(tuple(allows), tuple(forbids))
    roots = {name for name in names if not rules.closed(name)}
    if any(map(PRACTICE.search, sources)):
        roots |= {name for name in names if name.startswith("tradeoff.checks.")}
    return sorted(name for name in names - reached(roots) if rules.closed(name))


def _fullest(sentences: Iterable[str]) -> list[str]:
    """Each once, and of ``uses a.b.c`` not its beginnings."""
    found = list(dict.fromkeys(sentences))
    return [each for each in found if not any(one.startswith(f"{each}.") for one in found)]


def _is_ours(name: str) -> bool:
    return name == "tradeoff" or name.startswith("tradeoff.")


def _beneath(name: str, places: Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _cell(source: str, bound: dict[str, str], rules: _Rules) -> Iterator[str]:
    lines = source.splitlines()
    for line in lines:
        if line.lstrip().startswith(("%", "!")):
            yield from (f"{sentence} in a magic" for sentence in rules.mentioned(line))
    plain = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines]
    try:
        tree = ast.parse("\n".join(plain))
    except SyntaxError:  # it can't run either, but another cell may read it
        yield from rules.mentioned(source)
        return
    for node in ast.walk(tree):
        yield from _node(node, bound, rules)


def _node(node: ast.AST, bound: dict[str, str], rules: _Rules) -> Iterator[str]:
    match node:
        case ast.Import(names):
            for each in names:
                top = each.name.split(".")[0]
                bound[each.asname or top] = each.name if each.asname else top
                yield from _told("imports", each.name, rules)
        case ast.ImportFrom(module=str(module), names=names):
            for each in names:
                bound[each.asname or each.name] = f"{module}.{each.name}"
                yield from _told("imports", f"{module}.{each.name}", rules)
                if each.name == "*":
                    yield from (f"imports {one} by *" for one in rules.starred(module))
        case ast.Assign(targets=[ast.Name(name)], value=value) | ast.NamedExpr(
            ast.Name(name), value
        ):
            known = _dotted(value, bound)
            if known is not None and _is_ours(known):
                bound[name] = known
        case ast.Attribute():
            full = _dotted(node, bound)
            yield from _told("uses", full, rules)
            if full in MACHINERY:
                yield f"reaches into the interpreter by {full}"
        case ast.Call(func=func, args=[first, *rest]):
            yield from _told("uses", _dotted(node, bound), rules)
            match _dotted(func, bound), rest:
                case "getattr", [asked, *_] if not isinstance(asked, ast.Constant):
                    whole = _dotted(first, bound)
                    if whole is not None and rules.holds_closed(whole):
                        yield f"computes what it asks of {whole}"
                case str(importer), _ if importer in IMPORTERS:
                    if not isinstance(first, ast.Constant):
                        yield f"computes what it hands to {importer}"
        case ast.Constant(str(text)):
            yield from rules.mentioned(text)


def _told(does: str, name: str | None, rules: _Rules) -> Iterator[str]:
    if name is not None and rules.closed(name):
        home = full_name(name) if _is_ours(name) else name
        yield f"{does} {name}" + (f", which is {home}" if home != name else "")


def _dotted(node: ast.AST, bound: dict[str, str]) -> str | None:
    """``a.b.c`` with the module that `a` stands for, or is imported as, put in its place."""
    match node:
        case ast.Name(name):
            return bound.get(name, name)
        case ast.Attribute(value, attr):
            inner = _dotted(value, bound)
            return None if inner is None else f"{inner}.{attr}"
        case ast.Call(func, [ast.Constant(str(module)), *more], named):
            match _dotted(func, bound):
                case "importlib.import_module":
                    return module
                case "__import__":
                    return module if len(more) > 2 or named else module.split(".")[0]
        case ast.Call(func, [first, ast.Constant(str(attr)), *_]) if (
            _dotted(func, bound) == "getattr"
        ):
            inner = _dotted(first, bound)
            return None if inner is None else f"{inner}.{attr}"
    return None
