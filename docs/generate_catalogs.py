"""Bring the catalogs of templates/locale/ up to date with the words in the code.

    python docs/generate_catalogs.py

publisher.pot gets every phrase in English; each language keeps its translations, gets new phrases untranslated, and
loses those that are gone. A test fails while a catalog lacks a phrase.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from publisher.core.i18n import Plural
from publisher.newsletters.letter.email_strings import ENGLISH as LETTER
from publisher.newsletters.letter.subscription_notice import ENGLISH as NOTICE
from publisher.site.pages.signup import ENGLISH as FORM
from publisher.site.pages.words import ENGLISH as PAGE
from publisher.web.public.strings import ENGLISH as WEB

FOLDER = Path(__file__).parent.parent / "templates" / "locale"
ROOMS = {"letter": LETTER, "page": PAGE, "notice": NOTICE, "form": FORM, "web": WEB}


def template() -> Catalog:
    """Return all phrases of the program; the context of a phrase is its room and its name in templates."""
    found = Catalog(project="Publisher", charset="utf-8")
    for room, words in ROOMS.items():
        for key, word in words.items():
            message = (word.one, word.many) if isinstance(word, Plural) else word
            found.add(message, context=f"{room}.{key}", flags=["python-brace-format"] if "{" in str(message) else [])
    return found


def main() -> None:
    """Write publisher.pot and the catalogs of all languages next to it."""
    words = template()
    _write(words, FOLDER / "publisher.pot")
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.stem)
        catalog.update(words, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        _write(catalog, path)


def _write(catalog: Catalog, path: Path) -> None:
    catalog.header_comment = "# The words of Publisher; docs/templates.md says how a project changes them."
    headers = [] if path.suffix == ".pot" else [f"Language: {path.stem}", f"Plural-Forms: {catalog.plural_forms}"]
    lines = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    quoted = [f'"{line}\\n"' for line in (*lines, *headers)]
    head = [catalog.header_comment, 'msgid ""', 'msgstr ""', *quoted, "", ""]
    with path.open("wb") as file:
        # Babel's own header has the time and its version, which would change with every run.
        file.write("\n".join(head).encode())
        write_po(file, catalog, width=100, omit_header=True)


if __name__ == "__main__":
    main()
