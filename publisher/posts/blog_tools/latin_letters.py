"""Titles in Latin letters, as the libraries of other tools spell them in addresses.

Pelican uses Unidecode and Zola deunicode, whose tables text-unidecode has too, except for the names of emoji. Eleventy
uses @sindresorhus/slugify, whose table is here (from @sindresorhus/transliterate, MIT); it drops characters that are
not in it, such as Chinese. All functions are pure.
"""

from __future__ import annotations

import re
import unicodedata

from publisher.core import patterns

# Latin letters, and the letters that they replace.
_TABLE = (
    "0=\u0660\u06f0 1=\u0661\u06f1 2=\u0662\u06f2 3=\u0663\u06f3 4=\u0664\u06f4 5=\u0665\u06f5 6=\u0666\u06f6 "
    "7=\u0667\u06f7 8=\u0668\u06f8 9=\u0669\u06f9 ss=ß ae=äæ oe=ö ue=ü "
    "d=ðđ\u062f\u0636\u0689\u0688дդდ\u0791\u079fδ o=øоօო\u07aeοωόώ th=þ\u062b\u078c\u079bθ "
    "e=\u0621\u0639\u06c0\u06d0\u06d2еэէე\u07acεέ€ a=\u0622\u0623\u0627\u0649аաა\u0787\u07a2\u07a6αά₳ "
    "w=\u0624\u0648\u07a5₩ i=\u0625иıիი\u07a8ηιίήϊΐі y=\u0626\u064a\u06ccйыըյ\u0794υύΰϋ¥ b=\u0628бբბ\u0784β₿ "
    "t=\u0629\u062a\u0637\u0679тթտთტ\u0793\u07a0τ₮₸ j=\u062cջჯ\u0796 h=\u062d\u0647\u06c1\u06beհჰ\u0780ħ "
    "kh=\u062eхխხ\u079a dh=\u0630\u078b r=\u0631\u0693\u0691рռրრ\u0783ρ₹ "
    "z=\u0632\u0638\u0681зզზ\u0792\u079c\u07a1ζ s=\u0633\u0635сսს\u0790\u079eσς₫₰₴₷ sh=\u0634шշშ\u0781\u079d "
    "gh=\u063aղღ\u07a3 _=\u0640 f=\u0641фֆ\u078aφ₣ q=\u0642քქ\u07a4 k=\u0643\u06a9кկკყ\u0786κ₭ "
    "l=\u0644лլლ\u078dλł₺ m=\u0645мմმ\u0789μ₥ n=\u0646\u06bc\u06baнնნ\u0782ν₦ u=\u064fуუ\u07aa "
    "ch=\u0686чչჩ\u0797 g=\u06af\u0696\u06abгգგ\u078eγґ₲ p=\u067e\u067cпպփპ\u0795π₱₽ zh=\u0698жժჟ c=\u0685ց¢₡₵ "
    "x=\u069aχ ai=\u06cd v=вվვ\u0788β yo=ё ts=цծცწ sch=щ -=ъь yu=ю ya=я ye=եє dz=ձძ tch=ճჭ vo=ո yev=և ph=ფ "
    "lh=\u0785 gn=\u078f tt=\u0798₶ hh=\u0799 aa=\u07a7 ee=\u07a9 oo=\u07ab ey=\u07ad oa=\u07af ks=ξ ps=ψ kj=ќ "
    "lj=љ nj=њ yi=ї ij=ĳ ce=₠ cr=₢ pt=₧ rs=₨ dp=₯"
)
_LETTERS = str.maketrans(
    {
        letter: "" if latin == "-" else latin
        for latin, _, letters in (each.partition("=") for each in _TABLE.split())
        for letter in letters
    }
)
_WORDS = str.maketrans({"&": " and ", "\N{UNICORN FACE}": " unicorn ", "\N{BLACK HEART SUIT}": " love "})
_PAIRS = (("\u044a\u0435", "ye"), ("\u044b\u0439", "iy"), ("\u0578\u0582", "u"), ("\u0442\u0441", "ts"))
_APOSTROPHE = patterns.compile(r"(?<=[a-z\d])'(?=[ts](?:\s|$))")


def unidecoded(text: str) -> str:
    """Return a text in ASCII, as Unidecode does: \u5317\u4eac is "Bei Jing "."""
    if text.isascii():
        return text
    from text_unidecode import unidecode  # it reads a table of 300 KB, which few projects need

    return str(unidecode(text))


def sindresorhus_slug(text: str) -> str:
    """Return the slug of @sindresorhus/slugify without its option `decamelize`; "" if nothing is left."""
    text = unicodedata.normalize("NFC", text).lower()
    for letters, latin in _PAIRS:
        text = text.replace(letters, latin)
    text = unicodedata.normalize("NFD", text.translate(_LETTERS).translate(_WORDS))
    text = "".join(char for char in text if unicodedata.category(char) != "Mn")
    return re.sub(r"[^a-z0-9]+", "-", _APOSTROPHE.sub("", text)).strip("-")
