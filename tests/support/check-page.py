#!/usr/bin/env python3
"""check-page.py FILE [TEXT...]: whether a page is sound HTML that needs nothing else, and says each TEXT.

Tags are closed in order; ids are unique and links lead to them; nothing is fetched, nothing is run; every picture is well-formed XML by
itself, light and dark in equal number."""
import re
import sys
import xml.dom.minidom
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link", "hr"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.text, self.wrong = [], set(), [], [], []

    def handle_starttag(self, tag, attrs):
        svg = "svg" in self.open
        if tag not in VOID or svg:
            self.open.append(tag)
        if tag in ("script", "iframe", "object", "embed", "link", "form", "b<"):
            self.wrong.append(f"<{tag}>")
        names = [a for a, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}> has an attribute twice")
        for name, value in attrs:
            value = value or ""
            if name.startswith("on"):
                self.wrong.append(f"<{tag} {name}>")
            if name == "id":
                if value in self.ids:
                    self.wrong.append(f"id {value} twice")
                self.ids.add(value)
            if name in ("src", "href", "xlink:href"):
                if value.startswith("#"):
                    self.links.append(value[1:])
                elif not value.startswith("data:image/png;base64,"):
                    self.wrong.append(f"fetches {value[:60]}")
        if tag == "img" and not dict(attrs).get("alt"):
            self.wrong.append("<img> without alt")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> where {self.open[-1:]} is open")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


source = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(source)
page.close()
wrong = page.wrong + [f"<{t}> is not closed" for t in page.open]
wrong += [f"a link to #{l} leads nowhere" for l in page.links if l not in page.ids]
if not source.startswith("<!DOCTYPE html>"):
    wrong.append("no doctype")
if re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", source):
    wrong.append("something is fetched")
pictures = re.findall(r"<svg.*?</svg>", source, re.S)
for svg in pictures:
    try:
        xml.dom.minidom.parseString(svg)
    except Exception as e:
        wrong.append(f"a picture is not XML: {e}")
if source.count('class="picture light"') != source.count('class="picture dark"') or len(pictures) % 2:
    wrong.append("not every picture is there for light and dark")
text = "".join(page.text)
wrong += [f"does not say {t!r}" for t in sys.argv[2:] if t not in text]
for line in wrong[:20]:
    print(f"{sys.argv[1]}: {line}")
sys.exit(bool(wrong))
