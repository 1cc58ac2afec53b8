"""Write publisher/newsletters/lint/clients.json: what email clients do not support, from caniemail's data.

    make clients

The data comes from the npm package `caniemail`, whose version is in the Makefile. No number or name is typed by hand:
the features, the clients and the licence come from the archive. Only _finds, which derives from a feature's title
what to look for in an email, is ours.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "publisher/newsletters/lint/clients.json"

_PLURALS = {"jpg": ("jpg", "jpeg"), "tiff": ("tiff", "tif"), "heif": ("heif", "heic"), "base64": ()}


def clients_json(archive: Path) -> str:
    """Return the text of clients.json for the archive that `npm pack caniemail` made."""
    with tarfile.open(archive) as package:
        about = json.loads(_read(package, "package/package.json"))
        data = json.loads(_read(package, "package/data/caniemail.json"))
        licence = _read(package, "package/LICENSE")
    names = sorted({client for feature in data["data"] for client in _stats(feature)})
    features = [
        made for feature in data["data"] for made in (_feature(feature), _negative(feature)) if made is not None
    ]
    head = {
        "source": f"{about['name']} {about['version']} (npm), the data of caniemail.com",
        "updated": data["last_update_date"][:10],
        "licence": licence.strip(),
        "clients": {name: _client(name, data["nicenames"]) for name in names},
    }
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    text = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{text},\n "features": [\n{lines}\n]}}\n'


def _read(package: tarfile.TarFile, name: str) -> str:
    with package.extractfile(name) or nullcontext(BytesIO()) as file:
        return file.read().decode()


def _stats(feature: dict[str, Any]) -> dict[str, str]:
    """Return what the newest tested version of each client does: "y", "n", "a #1" and so on."""
    return {
        f"{family}.{platform}": versions[max(versions, key=_version)]
        for family, platforms in feature["stats"].items()
        for platform, versions in platforms.items()
        if versions
    }


def _version(name: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", name)]


def _client(name: str, nicenames: dict[str, dict[str, str]]) -> str:
    family, _, platform = name.partition(".")
    return f"{nicenames['family'].get(family, family)} ({nicenames['platform'].get(platform, platform)})"


def _feature(feature: dict[str, Any]) -> dict[str, Any] | None:
    finds = list(dict.fromkeys(_finds(feature)))
    stats = _stats(feature)
    lacking = sorted(client for client, support in stats.items() if support.startswith("n"))
    if not finds or not lacking:
        return None
    return {
        "slug": feature["slug"],
        "title": feature["title"].strip(),
        "url": feature["url"],
        "finds": finds,
        "tested": len(stats),
        "lacking": lacking,
    }


def _negative(feature: dict[str, Any]) -> dict[str, Any] | None:
    """Return the negative values of a property as a separate feature, if a note says which clients lack them."""
    notes = {
        f"#{number}" for number, note in (feature["notes_by_num"] or {}).items() if "egative values are not" in note
    }
    stats = _stats(feature)
    lacking = sorted(client for client, support in stats.items() if notes & set(support.split()) or support == "n")
    if not notes:
        return None
    names = [find.removeprefix("property:") for find in _finds(feature)]
    return {
        "slug": f"{feature['slug']}-negative",
        "title": f"negative {feature['title'].strip()}",
        "url": feature["url"],
        "finds": [f"negative:{name}" for name in names],
        "tested": len(stats),
        "lacking": lacking,
    }


def _finds(feature: dict[str, Any]) -> Iterator[str]:
    """Return what shows that a letter uses the feature: "element:video", "property:gap", "value:display:flex"."""
    slug, title = feature["slug"], feature["title"].strip()
    if slug.startswith("image-"):
        name = slug.removeprefix("image-")
        yield from (f"image:{ending}" for ending in _PLURALS.get(name, (name,)))
    elif slug.startswith("html-"):
        yield from _html_finds(title)
    elif slug.startswith("css-") and "selector" not in slug and "pseudo" not in slug:
        yield from _css_finds(title)
    elif slug.startswith("css-pseudo"):
        yield f"pseudo:{re.sub(r'[^a-z-]', '', title)}"


def _html_finds(title: str) -> Iterator[str]:
    if title == "Image maps":
        yield "element:map"
    elif title.endswith((" attribute", " attributes")):
        yield from (f"attribute:{name}" for name in title.rpartition(" ")[0].split(" and "))
    elif typed := re.match(r'<(\w+) type="(\w+)">', title):
        yield f"element:{typed[1]}[type={typed[2]}]"
    else:
        yield from (f"element:{name}" for name in re.findall(r"<(\w+)>", title))


def _css_finds(title: str) -> Iterator[str]:
    if title.startswith("@"):
        yield from (f"at:{name.strip()}" for name in title.split(","))
    elif "Variables" in title:
        yield "function:var"
    elif "()" in title:
        yield from (f"function:{name}" for name in re.findall(r"([a-z-]+)\(\)", title))
    elif title.endswith(" unit"):
        yield f"unit:{title.removesuffix(' unit')}"
    elif pair := re.fullmatch(r"([a-z-]+):\s*([a-z-]+)", title):
        yield f"value:{pair[1]}:{pair[2]}"
    else:
        bare = re.sub(r" (shorthand|property|CSS property|properties)$", "", title)
        names = [name.strip() for name in re.split(r",|&", bare)]
        if all(re.fullmatch(r"[a-z-]+\*?", name) for name in names):
            yield from (f"property:{name}" for name in names)


if __name__ == "__main__":
    TARGET.write_text(clients_json(Path(sys.argv[1])), encoding="utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)}")  # noqa: T201 - it is a program
