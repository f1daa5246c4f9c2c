"""Links in the documentation lead somewhere; `make` commands and tests that it names exist.

Only links within the repository are followed: the check needs no network.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
MAKE = re.compile(r"`make ([a-z][a-z-]*)|^\s*make ([a-z][a-z-]*)", re.MULTILINE)
NAMED_TEST = re.compile(r"`((?:[\w/-]+/)?(\w+\.py)::(test_\w+))`")
TEST = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def listed(pattern: str) -> list[Path]:
    """Return every file of that name that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return sorted({ROOT / line for line in told.stdout.splitlines() if (ROOT / line).is_file()})


def tests() -> set[tuple[str, str]]:
    """Return every test: the name of its file, and its own."""
    return {
        (file.name, name)
        for file in listed("*test_*.py")
        for name in TEST.findall(file.read_text(encoding="utf-8"))
    }


def slug(heading: str) -> str:
    """Turn a heading into its anchor, as code hosts do: letters and digits, spaces as hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings; a repeated heading gets -1, -2 and so on."""
    taken: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        base, name, count = slug(heading), slug(heading), 0
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name)
    return taken


def faults(page: Path, make_targets: set[str], known: set[tuple[str, str]]) -> list[str]:
    """Return one sentence for each link, command or test of the page that leads nowhere."""
    text = page.read_text(encoding="utf-8")
    wrong: list[str] = []
    for pair in LINK.findall(FENCE.sub("", text)):
        link = unquote(pair[0] or pair[1])
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            wrong.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            wrong.append(f"{link}: no such heading")
    named = {first or second for first, second in MAKE.findall(text)}
    wrong += [f"make {name}: no such command" for name in sorted(named - make_targets)]
    wrong += [
        f"{whole}: no such test"
        for whole, file, name in NAMED_TEST.findall(text)
        if (file, name) not in known
    ]
    return [f"{page.relative_to(ROOT)}: {sentence}" for sentence in wrong]


def main() -> None:
    """Print what is wrong and exit 1, or print how much was read."""
    make_targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    read, known = listed("*.md"), tests()
    wrong = [sentence for page in read for sentence in faults(page, make_targets, known)]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{len(read)} pages, {len(wrong)} faults")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
