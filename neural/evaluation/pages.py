"""Tables as text, and their places in a page."""

from collections.abc import Sequence
from pathlib import Path

from ...capture.output import new_file
from ...rig.errors import FileError

__all__ = ["UNKNOWN", "block", "fill"]

UNKNOWN = "\N{EN DASH}"  # a cell without a number


def block(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fill(page: Path, name: str, content: str) -> None:
    """Put a block between its marks in a page, `<!-- NAME -->` and `<!-- end of NAME -->`.

    Raises:
        FileError: the page can't be read, or has no such marks.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{page} can't be read ({error}); expected a page with marks") from error
    first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if first not in text or last not in text.split(first, 1)[1]:
        raise FileError(
            f"{page} has no marks for {name!r}; put the lines {first.strip()} and {last} where the "
            "table belongs"
        )
    head, rest = text.split(first, 1)
    with new_file(page, force=True) as temporary:
        temporary.write_text(
            head + first + content + last + rest.split(last, 1)[1], encoding="utf-8"
        )
