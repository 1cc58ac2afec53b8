"""Inlining changes nothing that a subscriber sees: computed styles before and after, in a real browser."""

from __future__ import annotations

import pytest

from publisher.newsletters.letter.inline_css import inline_css
from tests.support.email_samples import FORMS, RUBY, SEEDS, SOURCES, letters, posts_of

SCREENS = [(width, dark) for width in (700, 360) for dark in (False, True)]

# Both documents are loaded side by side in frames of equal width, and the page reports only differences.
LOAD = """async (documents) => {
  document.body.replaceChildren();
  for (const html of documents) {
    const frame = document.createElement('iframe');
    frame.style.cssText = 'width:100vw;height:900px;border:0';
    const loaded = new Promise(done => { frame.onload = done; });
    frame.srcdoc = html;
    document.body.append(frame);
    await loaded;
  }
}"""
# Two elements with the same name and attributes can only differ in properties that either document declares, in any
# rule or style: a tenth of all properties, and reading all takes most of the time. For other elements every property is
# compared.
COMPARE = """() => {
  const views = [...document.querySelectorAll('iframe')].map(frame => frame.contentWindow);
  const all = views.map(({document: {documentElement, body}}) => [documentElement, body, ...body.querySelectorAll('*')]
    .filter(element => element.tagName !== 'STYLE'));
  const differences = [];
  if (all[0].length !== all[1].length) differences.push(`${all[0].length} elements, then ${all[1].length}`);
  const declared = new Set(['width', 'height', 'display']);
  const declare = rules => [...rules].forEach(rule => {
    [...(rule.style || [])].forEach(name => declared.add(name));
    declare(rule.cssRules || []);
  });
  for (const view of views) {
    [...view.document.styleSheets].forEach(sheet => declare(sheet.cssRules));
    declare(view.document.querySelectorAll('[style]'));
  }
  const logical = [...declared].filter(name => /-(inline|block)\\b/.test(name)).map(name => name.split('-')[0] + '-');
  const wanted = name => declared.has(name) || logical.some(start => name.startsWith(start));
  // To ask every element for its names takes longer than to ask for their values.
  const usual = [...views[0].getComputedStyle(all[0][0])], those = usual.filter(wanted);
  const attributes = element => JSON.stringify([...element.attributes]
    .filter(({name}) => name !== 'style' && name !== 'class').map(({name, value}) => [name, value]).sort());
  for (let n = 0; n < Math.min(all[0].length, all[1].length); n++) {
    const [before, after] = views.map((view, at) => view.getComputedStyle(all[at][n]));
    if (all[0][n].tagName !== all[1][n].tagName) differences.push(`${all[0][n].tagName} is ${all[1][n].tagName}`);
    const alike = before.length === usual.length && attributes(all[0][n]) === attributes(all[1][n]);
    for (const name of alike ? those : before) {
      const value = before.getPropertyValue(name), other = after.getPropertyValue(name);
      if (value !== other)
        differences.push(`${all[0][n].tagName}.${all[0][n].className} ${name}: ${value} -> ${other}`);
    }
  }
  return {compared: all[0].length, width: views[0].innerWidth, differences: differences.slice(0, 20),
    dark: views[0].matchMedia('(prefers-color-scheme: dark)').matches};
}"""


@pytest.fixture(scope="module")
def page(browser):
    """An empty page, whose contents each comparison replaces."""
    with browser.page() as page:
        page.set_content("<!DOCTYPE html><body style='margin:0'>")
        yield page


def differences(page, pairs, screens=SCREENS):
    """Return the number of compared elements, and the differences within each pair of documents on each screen."""
    compared, found = 0, []
    for name, before, after in pairs:
        page.evaluate(LOAD, [before, after])
        for width, dark in screens:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if dark else "light")
            result = page.evaluate(COMPARE)
            assert (result["width"], result["dark"]) == (width, dark)
            compared += result["compared"]
            found += [f"{name}, {width} px, dark {dark}: {each}" for each in result["differences"]]
    return compared, found


@pytest.mark.parametrize(
    ("source", "form"), [(s, f) for s in SOURCES for f in FORMS if s == "samples" or f != "arabic"]
)
def test_inlining_changes_no_computed_style(page, source, form):
    if not posts_of(source):
        pytest.skip(f"{RUBY if source == 'ruby-news' else SEEDS} is not next to this checkout")
    samples = list(letters(source, form))
    pairs = [(sample.name, sample.before, sample.letter.html) for sample in samples]
    # There are many posts by other people; two screens are enough to see each width and each mode.
    compared, found = differences(page, pairs, SCREENS if source == "samples" else (SCREENS[0], SCREENS[3]))
    assert found == []
    assert compared > 50 * len(pairs)


def test_the_corpora_are_complete():
    assert len(posts_of("samples")) >= 8
    assert len(posts_of("seeds")) in (0, 2)
    assert len(posts_of("ruby-news")) in (0, 30)


def test_a_lost_declaration_is_noticed(page):
    before = "<!DOCTYPE html><style>.x p {color: red; margin: 0} </style><body class=x><p>x</p>"
    after = "<!DOCTYPE html><body><p style='color:red'>x</p>"
    compared, found = differences(page, [("it", before, after)])
    assert compared == 3 * len(SCREENS)
    assert any("margin-top: 0px -> 16px" in each for each in found)


WRITERS = """
p {margin: 0} p {margin-top: 5px} .z {margin: 9px}
td {border: 1px solid red; border-left-color: blue} td.q {border: 3px dotted green} td {border-left: 9px solid red}
P {color: rgb(0 0 0 / 50%)} :is(p, li) {padding-left: 3px} li:nth-child(2n) {color: hsl(120deg 50% 50% / 0.3)}
p:not(.z) {color: red !important} .z {color: #00ff0080 !important; font: italic 20px/2 serif; font-size: 9px}
.z {font: 20px serif} li:first-child b {color: blue} td:empty {width: 40px} #u ~ p:last-of-type {letter-spacing: 2px}
.\\31 0 {text-indent: 10px} .md\\:x {text-indent: 20px} p::before {content: "x"} a[href^="https://x"] {color: teal}
* {box-sizing: border-box} p {background: #eee; background: linear-gradient(red, blue)} .z {width: min(50%, 300px)}
p {margin-bottom: 3px} @media (max-width: 600px) {.z {padding: 40px}}
@media (prefers-color-scheme: dark) {p {background: #111} .z {color: pink !important}}
@supports (display: grid) {li {outline: 1px solid red}}
"""
BODY = """<p class=z>a</p><p>b<b>b</b></p><p style="color:blue;margin:1px">c</p><p class="z md:x" style="color:blue">d
<p class="z 10" style="color:blue !important">e</p><ul id=u><li><b>1</b><li>2<li>3</ul><p>f</p><p class=z>g</p>
<table><tr><td class=q>1<td><td>3</table><a href="https://x.example">x</a><a href="http://x.example">y</a>"""


def test_a_change_by_an_attribute_is_noticed(page):
    before, after = "<table><td width=50>x</table>", "<table><td width=50 bgcolor=red>x</table>"
    assert any("background-color" in each for each in differences(page, [("it", before, after)])[1])


def test_css_that_premailer_loses_is_kept(page):
    before = f"<!DOCTYPE html><html><head><style>{WRITERS}</style></head><body>{BODY}</body></html>"
    compared, found = differences(page, [("it", before, inline_css(before, "email/test.html"))])
    assert found == []
    assert compared > 80
