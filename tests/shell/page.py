#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a browser has made of info/index.html, read from its DOM as HTML on standard input.

  page.py rows      the channels of the table, in its order: KIND/NAME
  page.py picture   a line for each sentence of the picture's description
  page.py cell KEY  the cells of the column KEY
  page.py text ID   the text of an element
  page.py tags      how many elements there are of each sort that could do something
  page.py value KEY the attribute data-KEY of the root
  page.py data      the names in the page's data; standard input may also be the page itself
"""
import collections
import html.parser
import json
import sys

ACTIVE = "script img iframe object embed link form a i style base".split()
VOID = {"meta", "link", "input", "img", "base", "br", "embed"}


class Page(html.parser.HTMLParser):
    """Collects elements as (tag, attributes, text), where text is all that is inside."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.all, self.open = [], []
        self.feed(sys.stdin.buffer.read().decode("utf-8", "strict"))

    def handle_starttag(self, tag, attrs):
        element = [tag, dict(attrs), ""]
        self.all.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for element in self.open:
            element[2] += data

    def find(self, tag, **attributes):
        fits = lambda has: all(has.get(key) == value for key, value in attributes.items())
        return [e for e in self.all if e[0] == tag and fits(e[1])]


def main():
    what, *words = sys.argv[1:]
    page = Page()
    if what == "rows":
        lines = [e[1]["data-id"] for e in page.all if e[0] == "tr" and "data-id" in e[1]]
    elif what == "picture":
        lines = page.find("desc")[0][2].split(". ") if page.find("desc") else []
    elif what == "cell":
        heads = [e[1]["data-key"] for e in page.find("th")]
        cells = [e[2] for e in page.find("td")]
        lines = cells[heads.index(words[0])::len(heads)]
    elif what == "text":
        lines = [e[2] for e in page.all if e[1].get("id") == words[0]]
    elif what == "tags":
        count = collections.Counter(e[0] for e in page.all)
        lines = [f"{tag} {count[tag]}" for tag in ACTIVE if count[tag]]
    elif what == "value":
        lines = [page.find("html")[0][1].get("data-" + words[0], "")]
    elif what == "data":
        data = json.loads(page.find("script", id="data")[0][2])
        lines = [c["kind"] + "/" + c["name"] for c in data["channels"]]
    for line in lines:
        print(line)


main()
