# SPDX-License-Identifier: GPL-2.0-or-later
"""Domains made at random of libvirt's own schema (RELAX NG, as its package installs it): valid by the schema, not always by sense.
What has been taken least often so far is taken first, so that a hundred domains see nearly all of it."""
import os, random, re
import xml.etree.ElementTree as ET
from re import _parser

NS = "{http://relaxng.org/ns/structure/1.0}"
LEFT_OUT = {"osxen", "osexe", "domainqemu", "qemucmdline", "lxcsharens", "xenbhyve", "bhyvecmdline", "ids", "seclabel", "metadata", "resource"}

# what the schema's expressions alone would seldom make sensible
SENSE = {"cpuset": ["0-3", "1", "0-3,^2"], "cpus": ["0-1"], "vcpus": ["0-1"], "vcpu": ["0", "1"], "nodeset": ["0"], "current": ["2", "3"], "unit": ["KiB", "k", "KB"],
         "sockets": ["1", "2"], "dies": ["1", "2"], "cores": ["2", "4"], "threads": ["1", "2"], "file": ["/v/a.img", "/v/b.qcow2"]}

SENSIBLE_TEXT = {"memory": ["4194304", "8388608"], "currentMemory": ["2097152"], "vcpu": ["4"]}
ALWAYS = {"devices", "features", "cpu", "clock"}  # too much hangs on them to leave it to chance

class Node:
    """An element of a domain. attrs: name -> [value, the other words that may stand there]; words: those of its text."""
    def __init__(self, name):
        self.name, self.attrs, self.children, self.text, self.words = name, {}, [], "", []

def words_of(schema, pattern, depth=0):
    """All fixed words of an attribute's or element's value; [] where it is free."""
    tag = pattern.tag.replace(NS, "")
    if tag == "value":
        return [pattern.text or ""]
    if tag == "ref":
        return [w for p in schema.defines.get(pattern.get("name"), []) for w in words_of(schema, p, depth + 1)] if depth < 20 else []
    return [w for p in pattern for w in words_of(schema, p, depth + 1)] if tag in ("choice", "attribute", "group", "optional") else []

class Schema:
    def __init__(self, folder, seed):
        self.defines, self.seen, self.random = {}, {}, random.Random(seed)
        self.load(folder, "domain.rng", set())
        self.all = set()
        self.walk([p for p in self.defines["domain"]], "", set())

    def load(self, folder, name, done):
        if name in done:
            return
        done.add(name)
        self.take(folder, ET.parse(os.path.join(folder, name)).getroot(), done)

    def take(self, folder, grammar, done):
        for p in grammar:
            if p.tag == NS + "include":
                self.load(folder, p.get("href"), done)
                self.take(folder, p, done)
            elif p.tag == NS + "define":
                parts = list(p) if len(p) < 2 else [self.group(p)]
                if p.get("combine") and p.get("name") in self.defines:
                    both = ET.Element(NS + p.get("combine"))
                    both.extend(self.defines[p.get("name")] + parts)
                    parts = [both]
                self.defines[p.get("name")] = parts

    @staticmethod
    def group(p):
        g = ET.Element(NS + "group")
        g.extend(list(p))
        return g

    def walk(self, patterns, path, above):
        """self.all: each "path/element" and "path@attribute" that can be made, by its pattern."""
        for p in patterns:
            tag = p.tag.replace(NS, "")
            if tag == "ref":
                if p.get("name") not in LEFT_OUT and p.get("name") not in above:
                    self.walk(self.defines.get(p.get("name"), []), path, above | {p.get("name")})
            elif tag in ("element", "attribute") and p.get("name"):
                self.all.add(id(p))
                self.walk(list(p), path, above)
            else:
                self.walk(list(p), path, above)

    def count(self, p):
        self.seen[id(p)] = self.seen.get(id(p), 0) + 1

    def impossible(self, p, depth=0):
        tag = p.tag.replace(NS, "")
        if tag == "ref":
            return p.get("name") in LEFT_OUT or (depth < 30 and any(self.impossible(q, depth + 1) for q in self.defines.get(p.get("name"), [])))
        if tag == "choice":
            return all(self.impossible(q, depth + 1) for q in p)
        return tag == "notAllowed" or (tag in ("group", "interleave", "oneOrMore") and any(self.impossible(q, depth + 1) for q in p))

    def fresh(self, p):
        return self.seen.get(id(p), 0)

    def make(self, p, into, depth):
        tag = p.tag.replace(NS, "")
        if tag in ("group", "interleave", "div", "grammar"):
            for q in p:
                self.make(q, into, depth)
        elif tag == "ref":
            if p.get("name") not in LEFT_OUT:
                for q in self.defines.get(p.get("name"), []):
                    self.make(q, into, depth)
        elif tag == "optional":
            likely = (0.75 if not self.fresh(p) else 0.3) if depth < 9 else 0
            if any(q.get("name") in ALWAYS for q in p):
                likely = 1
            if self.random.random() < likely and not any(self.impossible(q) for q in p):
                self.count(p)
                for q in p:
                    self.make(q, into, depth)
        elif tag == "choice":
            ways = [q for q in p if not self.impossible(q)]
            if ways:
                q = self.random.choices(ways, [1 / (1 + self.fresh(w)) ** 2 for w in ways])[0]
                self.count(q)
                self.make(q, into, depth)
        elif tag in ("zeroOrMore", "oneOrMore"):
            most = 7 if into.name == "devices" else 2
            times = self.random.randint(0 if tag == "zeroOrMore" else 1, most) if depth < 9 else tag == "oneOrMore"
            for _ in range(times):
                for q in p:
                    self.make(q, into, depth)
        elif tag == "element" and p.get("name"):
            self.count(p)
            n = Node(p.get("name"))
            into.children.append(n)
            for q in p:
                self.make(q, n, depth + 1)
                n.text = self.random.choice(SENSIBLE_TEXT[n.name]) if n.name in SENSIBLE_TEXT and n.text else n.text
                n.words += words_of(self, q) if q.tag == NS + "choice" else []
        elif tag == "attribute" and p.get("name"):
            self.count(p)
            value = Node("")
            for q in p:
                self.make(q, value, depth)
            if not len(p):
                value.text = "x"
            name = p.get("name")
            into.attrs[name] = [self.random.choice(SENSE[name]) if name in SENSE else value.text, sorted(set(words_of(self, p)))]
        elif tag == "value":
            into.text = p.text or ""
        elif tag == "text":
            into.text = self.random.choice(["some words", "/v/a.img", "7"])
        elif tag == "data":
            into.text = self.data(p)

    def data(self, p):
        params = {q.get("name"): q.text for q in p if q.tag == NS + "param"}
        if "pattern" in params:
            return self.matching(params["pattern"].strip())
        if p.get("type", "").lower() in ("int", "integer", "long", "short", "positiveinteger", "unsignedint", "unsignedlong", "unsignedshort"):
            low, high = int(params.get("minInclusive", 1)), int(params.get("maxInclusive", 64))
            return str(self.random.choice([low, min(high, low + 1), min(high, max(low, 3)), self.random.randint(low, max(low, high))]))
        return {"dateTime": "2026-11-30T12:00:00", "double": "0.5", "anyURI": "http://localhost/x"}.get(p.get("type"), "word")

    def matching(self, pattern):
        """A text that fits the regular expression; the schema's are simple ones."""
        def build(parts):
            out = ""
            for op, arg in parts:
                op = str(op)
                if op == "LITERAL":
                    out += chr(arg)
                elif op == "IN":
                    out += self.one_of(arg)
                elif op in ("MAX_REPEAT", "MIN_REPEAT"):
                    low, high, inner = arg
                    out += "".join(build(inner) for _ in range(self.random.randint(int(low), min(int(high), int(low) + 4))))
                elif op == "SUBPATTERN":
                    out += build(arg[-1])
                elif op == "BRANCH":
                    out += build(self.random.choice(arg[1]))
                elif op in ("ANY", "NOT_LITERAL"):
                    out += "x"
            return out
        return build(_parser.parse(re.sub(r"\\([ic])", r"\\w", pattern)))

    def one_of(self, parts):
        if str(parts[0][0]) == "NEGATE":
            return next(c for c in "xy07_-" if not re.fullmatch("[" + "".join(self.class_text(q) for q in parts[1:]) + "]", c))
        op, arg = self.random.choice(parts)
        if str(op) == "RANGE":
            return chr(self.random.randint(arg[0], min(arg[1], 0x7e)))
        return chr(arg) if str(op) == "LITERAL" else {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " "}.get(str(arg), "w")

    @staticmethod
    def class_text(part):
        op, arg = part
        return re.escape(chr(arg)) if str(op) == "LITERAL" else f"{re.escape(chr(arg[0]))}-{re.escape(chr(arg[1]))}" if str(op) == "RANGE" else r"\s"

    def domain(self):
        top = Node("")
        for p in self.defines["domain"]:
            self.make(p, top, 0)
        root = top.children[0]
        root.attrs = {"type": ["kvm", []]}
        return root
