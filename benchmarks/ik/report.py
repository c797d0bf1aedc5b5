"""Tables as text, and their places in a page."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["block", "fill"]


def block(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fill(page: Path, name: str, content: str) -> None:
    """Put a block between its marks, `<!-- NAME -->` and `<!-- end of NAME -->`."""
    text = page.read_text(encoding="utf-8")
    first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if first not in text or last not in text:
        raise SystemExit(f"{page.name} has no marks for {name!r}: {first.strip()} and {last}")
    head, tail = text.split(first, 1)[0], text.split(last, 1)[1]
    page.write_text(head + first + content + last + tail, encoding="utf-8")
