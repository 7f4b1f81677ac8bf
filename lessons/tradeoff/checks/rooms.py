"""What the package's modules import, read off their files: nothing is loaded to find it out."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = PACKAGE.name


def file_of(module: str) -> Path | None:
    """Where a module of the package is; None when there is none of that dotted name."""
    first, *parts = module.split(".")
    if first != NAME or not all(part.isidentifier() for part in parts):
        return None
    place = PACKAGE.joinpath(*parts)
    return next(filter(Path.is_file, (place / "__init__.py", place.with_suffix(".py"))), None)


@cache
def imports(module: str) -> dict[str, str]:
    """The names that a module's import statements bind, wherever they stand, in full."""
    path = file_of(module)
    found: dict[str, str] = {}
    if path is None:
        return found
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found |= {each.asname or each.name: each.name for each in names}
            case ast.ImportFrom(module=str(source), names=names, level=0):
                found |= {each.asname or each.name: f"{source}.{each.name}" for each in names}
    return found


def full_name(name: str) -> str:
    """Where a dotted name of the package is at home: re-exports are followed, modules go first."""
    module, rest, seen = NAME, name.split(".")[1:], {name}
    while rest:
        if file_of(f"{module}.{rest[0]}") is not None:
            module, rest = f"{module}.{rest[0]}", rest[1:]
            continue
        target = _bound(module, rest[0])
        if target is None:
            break
        name = ".".join([target, *rest[1:]])
        if name in seen or not name.startswith(f"{NAME}."):
            return name
        seen.add(name)
        module, rest = NAME, name.split(".")[1:]
    return ".".join([module, *rest])


def _bound(module: str, name: str) -> str | None:
    known = imports(module)
    starred = known.get("*", "").removesuffix(".*")
    if name not in known and name in imports(starred):
        return f"{starred}.{name}"
    return known.get(name)


def reached(modules: Iterable[str]) -> set[str]:
    """All of the package that these modules may load by an import statement, and themselves."""
    found: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        if module in found or file_of(module) is None:
            continue
        found.add(module)
        for name in imports(module).values():
            left += [name, name.rpartition(".")[0]]
        left.append(module.rpartition(".")[0])  # a module brings the packages it is in
    return found
