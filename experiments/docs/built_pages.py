"""Checks the built pages in `site/`: they load nothing from elsewhere, and every file they name is there.

`make docs` runs it after the build: `python -m experiments.docs.built_pages [FOLDER]`. Standard library only.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# what a browser fetches by itself when it shows a page; a link that a reader may click is none of it
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "link": "href"}
UNFETCHED = {"canonical", "alternate", "prev", "next"}  # what <link rel=...> only names


class Names(HTMLParser):
    """The addresses that a page fetches and those that it links to."""

    def __init__(self) -> None:
        """Nothing found yet."""
        super().__init__()
        self.fetched: list[str] = []
        self.linked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the addresses of one tag."""
        values = dict(attrs)
        address = values.get(FETCHED.get(tag, ""))
        if address and not (tag == "link" and values.get("rel") in UNFETCHED):
            self.fetched.append(address)
        if tag == "a" and values.get("href"):
            self.linked.append(values["href"] or "")


def faults(folder: Path) -> list[str]:
    """One line for each address that leads elsewhere by itself, or to a file that is not there."""
    found = []
    for page in sorted(folder.rglob("*.html")):
        names = Names()
        names.feed(page.read_text(encoding="utf-8"))
        found += [f"{page}: loads {each}" for each in names.fetched if is_elsewhere(each)]
        local = [each for each in names.fetched + names.linked if not is_elsewhere(each)]
        found += [f"{page}: {each} is not there" for each in local if not leads_to_a_file(page, each)]
    for sheet in sorted(folder.rglob("*.css")):
        addresses = re.findall(
            r"url\(['\"]?(https?:[^'\")]+)|@import ['\"]([^'\"]+)", sheet.read_text(encoding="utf-8")
        )
        found += [f"{sheet}: loads {''.join(each)}" for each in addresses]
    return found


def is_elsewhere(address: str) -> bool:
    """Whether the address names another host; `data:` holds the thing itself."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def leads_to_a_file(page: Path, address: str) -> bool:
    """Whether the file of a relative address exists; the page of errors names files from the root of a server."""
    path = unquote(urlsplit(address).path)
    if address.startswith("data:") or not path or page.name == "404.html":
        return True
    target = page.parent / path
    return (target / "index.html").is_file() or target.is_file()


def main() -> int:
    """Prints the faults; the exit status is 1 if there are any."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    found = faults(folder)
    pages = len(list(folder.rglob("*.html")))
    print("\n".join(found) or f"{folder}/index.html: {pages} pages, nothing is loaded from elsewhere")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
