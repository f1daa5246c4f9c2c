"""Measures the code: `make size`, or `python -m size --since COMMIT` for before and after.

Logical statements are counted in the syntax tree, docstrings apart, so that the figure does not
depend on line length or layout. Complexity is McCabe's, by function.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mccabe import PathGraphingAstVisitor  # type: ignore[import-untyped] # it has no stubs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "credentials": "plugins/credentials/src",
    "tap": "tap-bigcommerce-orders/src",
    "target": "target-freshbooks/src",
    "sandbox": "plugins/sandbox/src",
    "webhooks": "plugins/webhooks/src",
    "tools": "tools",
    "tests": "*tests*",
}
COLUMNS = ("statements", "lines", "modules", "longest module", "longest function", "complexity")


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one part.

    Attributes:
        statements: Logical statements, docstrings apart.
        lines: Physical lines.
        modules: Python files.
        longest_module: Lines of the longest one, with its name.
        longest_function: The same of functions.
        complexity: McCabe's number: mean over all functions, and the largest.
    """

    statements: int
    lines: int
    modules: int
    longest_module: tuple[int, str]
    longest_function: tuple[int, str]
    complexity: tuple[float, int]

    def cells(self) -> tuple[str, ...]:
        """The figures as text, in the order of `COLUMNS`."""
        mean, largest = self.complexity
        return (
            f"{self.statements:,}",
            f"{self.lines:,}",
            str(self.modules),
            "{} {}".format(*self.longest_module),
            "{} {}".format(*self.longest_function),
            f"{mean:.2f}, at most {largest}",
        )


def statements_of(tree: ast.Module) -> int:
    """Logical statements, docstrings apart."""
    return sum(isinstance(node, ast.stmt) and not _is_docstring(node) for node in ast.walk(tree))


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def complexities(tree: ast.Module) -> list[int]:
    """McCabe's number of each function."""
    visitor: Any = PathGraphingAstVisitor()
    visitor.preorder(tree, visitor)
    return [graph.complexity() for graph in visitor.graphs.values()]


def files_of(part: str, root: Path) -> Iterator[Path]:
    """The Python files of a part."""
    if part == "tests":
        yield from (path for path in root.rglob("*.py") if "tests" in path.relative_to(root).parts)
    else:
        yield from (root / PARTS[part]).rglob("*.py")


def measure(part: str, root: Path) -> Size:
    """The size of a part of the repository that lies in a folder."""
    statements = lines = modules = 0
    longest_module = longest_function = (0, "")
    complexity: list[int] = []
    for path in files_of(part, root):
        if ".venv" in path.parts or ".meltano" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        length = text.count("\n")
        statements += statements_of(tree)
        lines += length
        modules += 1
        longest_module = max(longest_module, (length, path.name))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                reach = (node.end_lineno or node.lineno) - node.lineno + 1
                longest_function = max(longest_function, (reach, node.name))
        complexity += complexities(tree)
    mean = sum(complexity) / len(complexity) if complexity else 0.0
    return Size(
        statements,
        lines,
        modules,
        longest_module,
        longest_function,
        (mean, max(complexity, default=0)),
    )


def table(root: Path) -> dict[str, Size]:
    """The sizes of all parts."""
    return {part: measure(part, root) for part in PARTS}


def at(commit: str, folder: Path) -> Path:
    """The repository as it was at a commit, laid out in a folder."""
    command = ["git", "archive", commit]
    packed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def show(title: str, sizes: dict[str, Size]) -> None:
    """Print one table."""
    rows = [(title, *COLUMNS), *((part, *size.cells()) for part, size in sizes.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    print()


def main() -> int:
    """Print the sizes now, and those of a former commit before them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--since", metavar="COMMIT", help="a commit to compare with")
    given = parser.parse_args()
    now = table(ROOT)
    if given.since is None:
        show("now", now)
        return 0
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        before = table(at(given.since, Path(folder)))
    show(given.since, before)
    show("now", now)
    for part, size in now.items():
        former = before[part].statements
        if former:
            print(f"{part}: statements {100 * (size.statements - former) / former:+.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
