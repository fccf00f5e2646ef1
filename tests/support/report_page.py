"""Reading a report page as a browser would, without one."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Page(HTMLParser):
    """Tables by name (rows by column, numbers in full), cards, scripts, and what is linked.

    Attributes:
        elements: how often each occurs.
        urls: of `src`, `href` and the like.
        inline: names of attributes that would run a script.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.cards: list[dict[str, str]] = []
        self.data: dict[str, Any] = {}
        self.elements: dict[str, int] = {}
        self.urls: list[str] = []
        self.inline: list[str] = []
        self.words: list[str] = []
        self._columns: list[str] = []
        self._row: list[Any] = []
        self._name = self._in = self._part = ""
        self._script: str | None = None
        self._number: str | None = None
        self.feed(text)
        self.close()

    @classmethod
    def of(cls, path: Path) -> Page:
        return cls(path.read_text())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements[tag] = self.elements.get(tag, 0) + 1
        self.urls += [value for name, value in found.items() if name in ("src", "href", "action")]
        self.inline += [name for name in found if name.startswith("on")]
        if tag == "table":
            self._name, self._columns = found["data-name"], []
            if self._name in self.tables:
                self._name += " of another network"
            self.tables[self._name] = []
        elif tag == "th":
            self._columns.append(found["data-column"])
        elif tag == "tr":
            self._row = []
        elif tag == "td":
            self._in, self._number = "td", found.get("data-value")
            self._row.append("")
        elif tag == "li" and "card" in found.get("class", "").split():
            self.cards.append({})
        elif tag == "span" and self.cards and found.get("class") in CARD:
            self._part = found["class"]
        elif tag in ("script", "style"):
            self._script = found.get("id", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            if self._number is not None:
                self._row[-1] = float(self._number) if self._number else None
            self._in = ""
        elif tag == "tr" and self._row:
            row = dict(zip(self._columns, self._row, strict=True))
            self.tables[self._name].append(row)
        elif tag == "span":
            self._part = ""
        elif tag in ("script", "style"):
            self._script = None

    def handle_data(self, text: str) -> None:
        if self._script is not None:
            if self._script:
                self.data[self._script] = json.loads(text)
            return
        self.words.append(text)
        if self._in == "td":
            self._row[-1] += text
        if self._part:
            self.cards[-1][self._part] = text


CARD = {"title", "value", "within", "detail"}
