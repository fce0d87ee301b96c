"""Finds the names and addresses of one person in what others wrote, so that they can be taken out.

Case, accents, and composed or decomposed letters make no difference. The rules err towards taking out: what is left
of a sentence can be understood, and a name that stays can't be taken back. What no rule here can know is listed in
`docs/security.md`. Every text takes time in proportion to its length, however many names there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from store.people.ordinary_words import ORDINARY, PARTICLES, TITLES

Rule = Literal["anyhow", "capital", "inside"]
"""When a word is a name: in any case; only with a capital; only with a capital inside of a sentence."""
Span = tuple[int, int]

GONE = "…"
UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts that put no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Han, Kana."""
HONORIFICS = (
    "先生",
    "女士",
    "小姐",
    "老师",
    "老師",
    "同学",
    "同學",
    "さん",
    "様",
    "さま",
    "くん",
    "君",
    "ちゃん",
    "氏",
)
FAMILIAR = ("小", "老", "阿")
"""What stands before a Chinese family name among people who know each other."""
CYRILLIC_ENDINGS = """
    а я у ю ы и е о й ь і ї є ом ем ём ой ей ою ею єю ым им ых их ов ев ам ям ах ях ами ями ого его ому ему ові еві
    ин ина ино ины ової
    """.split()  # noqa: SIM905
PREFIXES = {"arabic": frozenset("وفبكلسا"), "hebrew": frozenset("ולבכמהש")}
"""Letters that are written together with the word that follows them: and, to, in, the, from."""
SENTENCE_ENDS = frozenset(".!?:;\n\r…—–*•")
OPENING = frozenset(" \t\"'“”„‘’«»([{\u00a0")
LOOK_BACK = 8

_HANGUL = re.compile("[\u1100-\u115f][\u1160-\u11a7]+[\u11a8-\u11ff]*")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_BETWEEN = re.compile(r"[\s,·’'_/-]{0,3}")
"""What may stand between the parts of one name."""
_AFTER_INITIAL = re.compile(r"\.?[\s,·’'_/-]{0,3}")
MOST_PARTS = 8
"""Parts of a whole name that are looked for together: more cost time, and say nothing more."""
_JOINS = re.compile("[ \u00a0,·-]{0,2}")
"""What may stand between two names for them to become one ellipsis."""
_EQUAL_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n"}
)  # fmt: skip


class _Folds(dict[str, str]):
    """Character to what it is compared by: without accents, in small letters, nothing where it can't be seen."""

    MOST = 20_000

    def __missing__(self, character: str) -> str:
        if len(self) >= self.MOST:
            self.clear()
        kept = (
            part
            for part in unicodedata.normalize("NFKD", character)
            # Accents, and the points of Hebrew and Arabic; not the vowels of Thai, nor the marks of Kana.
            if not (10 <= (mark := unicodedata.combining(part)) <= 36 or mark >= 200)
            and unicodedata.category(part) != "Cf"
        )
        found = self[character] = "".join(kept).casefold().translate(_EQUAL_LETTERS)
        return found


_FOLDS = _Folds()


def folded(text: str) -> str:
    """The text as it is compared."""
    return text.lower() if text.isascii() else "".join(map(_FOLDS.__getitem__, text))


@dataclass(slots=True)
class NameMatcher:
    """What a person is called, in the form in which it is looked for. Make it with `NameMatcher.of`."""

    words: dict[str, Rule] = field(default_factory=dict[str, Rule])
    """Folded word to when it is a name; endings of the genitive are words of their own."""
    phrases: dict[str, Any] = field(default_factory=dict[str, Any])
    """Whole names as a tree of their folded words; the key "" ends one, with its rule."""
    starts: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    """Length to beginnings of Korean words, which go on with particles."""
    stems: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    """Length to stems of Cyrillic names, which are declined."""
    literals: set[str] = field(default_factory=set[str])
    """Names in scripts without spaces."""
    emails: set[str] = field(default_factory=set[str])
    _literal: re.Pattern[str] | None = None
    _email: re.Pattern[str] | None = None

    @classmethod
    def of(cls, names: Iterable[str], emails: Iterable[str] = ()) -> NameMatcher:
        """The matcher for these names and addresses; those that are empty are left out."""
        matcher = cls()
        for name in dict.fromkeys(names):
            matcher._add_name(name)
        matcher.emails = {folded(email.strip()) for email in emails if email.strip()}
        if matcher.literals:
            longest_first = sorted(matcher.literals, key=len, reverse=True)
            matcher._literal = re.compile("|".join(map(re.escape, longest_first)))
        if matcher.emails:
            either = "|".join(map(re.escape, sorted(matcher.emails, key=len, reverse=True)))
            matcher._email = re.compile(rf"(?<![\w.+-])(?:{either})(?![\w-])")
        return matcher

    def out_of(self, value: Any) -> Any:
        """The same value, in all its depth, with an ellipsis wherever the person was named. Keys stay."""
        match value:
            case str():
                return self.out_of_text(value)
            case list():
                return [self.out_of(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
            case dict():
                return {key: self.out_of(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
            case _:
                return value

    def out_of_text(self, text: str) -> str:
        """The text with an ellipsis wherever the person was named."""
        spans = sorted(self._spans(text, folded(text)))
        if not spans:
            return text
        kept: list[str] = []
        begin, end = spans[0]
        done = 0
        for start, stop in spans[1:]:
            if start <= end or _JOINS.fullmatch(text, end, start):
                end = max(end, stop)
                continue
            kept += [text[done:begin], GONE]
            begin, end, done = start, stop, end
        return "".join((*kept, text[done:begin], GONE, text[end:]))

    # -- what is looked for --------------------------------------------------------------------------------------

    def _add_name(self, name: str) -> None:
        seen = "".join(each for each in unicodedata.normalize("NFC", name) if unicodedata.category(each) != "Cf")
        parts = [(found[0], folded(found[0])) for found in _words().finditer(seen)]
        parts = [(written, word) for written, word in parts if word and word not in TITLES]
        for written, word in parts:
            self._add_part(written, word)
        words = [word for _, word in parts]
        if len(words) > 1:
            for order in (words[:MOST_PARTS], words[::-1][:MOST_PARTS]):
                self._add_phrase(order)
            for written in re.findall(r"\w+(?:-\w+)+", seen):  # Anna-Lena is Annalena as well
                self._add_part(written, folded(written.replace("-", "")))
            if all(_UNSPACED.match(word) for word in words):
                self.literals |= {"".join(words), "".join(reversed(words))}

    def _add_phrase(self, words: Sequence[str]) -> None:
        # "Will May" is a name, "will may" are two words.
        rule: Rule = "capital" if all(word in ORDINARY or word in PARTICLES for word in words) else "anyhow"
        node = self.phrases
        for word in words[:-1]:
            node = node.setdefault(word, {})
        for last in (words[-1], f"{words[-1]}s"):
            node.setdefault(last, {})[""] = rule

    def _add_part(self, written: str, word: str) -> None:
        match _script_of(word):
            case "unspaced":
                self._add_unspaced(word)
            case "hangul":
                syllables = _HANGUL.findall(word)
                # Three syllables are a family name and a given name written together.
                for some in (syllables, syllables[1:] if len(syllables) == 3 else ()):
                    if len(some) >= 2:
                        start = "".join(some)
                        self.starts.setdefault(len(start), set()).add(start)
            case "cyrillic" if len(word) >= 4:
                self.words[word] = "anyhow"
                stem = word[:-1] if word[-1] in "аяоеиьыюуіє" else word
                if len(stem) >= 3:
                    self.stems.setdefault(len(stem), set()).add(stem)
            case _:
                self._add_spaced(written, word)

    def _add_spaced(self, written: str, word: str) -> None:
        if len(word) < 2 or (word in PARTICLES and written.islower()):
            return  # an initial, or a "van" and "de", is a name only together with the rest
        short = len(word) == 2
        if word in PARTICLES or (short and word in ORDINARY):
            self._allow(word, "inside")
            return
        for form in (word, *_spelled_otherwise(written, word)):
            self._allow(form, "capital" if short or form in ORDINARY else "anyhow")
            for ending in ("s", "es", "ens") if form[-1] in "sxz" else ("s",):
                genitive = f"{form}{ending}"
                if genitive not in ORDINARY:
                    self._allow(genitive, "capital" if short or form in ORDINARY else "anyhow")

    def _add_unspaced(self, word: str) -> None:
        if len(word) > 1:
            self.literals.add(word)
        if not re.fullmatch("[\u3400-\u9fff]+", word):
            return
        if len(word) in (3, 4):
            # A family name of one or two characters and a given name, written together.
            self.literals.add(word[-2:])
        families = {word[:1], word[:2]} if len(word) > 2 else {word[:1]}
        self.literals |= {f"{family}{title}" for family in families for title in HONORIFICS}
        self.literals |= {f"{familiar}{word[:1]}" for familiar in FAMILIAR}

    def _allow(self, word: str, rule: Rule) -> None:
        rules: list[Rule] = ["anyhow", "capital", "inside"]
        known = self.words.get(word, "inside")
        self.words[word] = min(known, rule, key=rules.index)

    # -- where it is found ---------------------------------------------------------------------------------------

    def _spans(self, text: str, plain: str) -> list[Span]:
        found = list(self._found(text, plain))
        if not found:
            return []
        if text.isascii():
            return [(start, end) for start, end, rule in found if _holds(rule, text, start)]
        places = _places_of(text)
        spans: list[Span] = []
        for start, end, rule in found:
            begin, last = places[start], places[end - 1] + 1
            while last < len(text) and not _FOLDS[text[last]] and unicodedata.combining(text[last]):
                last += 1
            if _holds(rule, text, begin):
                spans.append((begin, last))
        return spans

    def _found(self, text: str, plain: str) -> Iterator[tuple[int, int, Rule]]:
        """(start, end, rule) in the folded text."""
        if self._email is not None and "@" in plain:
            for match in self._email.finditer(plain):
                yield match.start(), match.end(), "anyhow"
        if self._literal is not None and not text.isascii():
            for match in self._literal.finditer(plain):
                yield match.start(), match.end(), "anyhow"
        if not self.words and not self.phrases and not self.starts:
            return
        # Most texts name nobody: each of their words is looked up once.
        rules: dict[str, Rule | None] = {token: self._rule(token) for token in set(_words().findall(plain))}
        if not any(rule or token in self.phrases for token, rule in rules.items()):
            return
        tokens = [(match.start(), match.end()) for match in _words().finditer(plain)]
        passed = 0
        for number, (start, end) in enumerate(tokens):
            token = plain[start:end]
            if token in self.phrases and start >= passed:
                last, whole = self._phrase(plain, tokens, number)
                if last > end:
                    yield start, last, whole
                    passed = last
            if rule := rules[token]:
                yield start, end, rule

    def _phrase(self, plain: str, tokens: Sequence[Span], number: int) -> tuple[int, Rule]:
        """Where the longest whole name that begins with this token ends, and its rule; 0 where none does."""
        rule: Rule = "anyhow"
        node: Mapping[str, Any] = self.phrases
        before, longest, gap = tokens[number][0], 0, _BETWEEN
        for start, end in tokens[number : number + MOST_PARTS]:
            if start - before > 4 or not gap.fullmatch(plain, before, start):
                break
            node = node.get(plain[start:end], {})
            if not node:
                break
            before, gap = end, _AFTER_INITIAL if end - start == 1 else _BETWEEN
            if "" in node:
                longest, rule = end, node[""]
        return longest, rule

    def _rule(self, token: str) -> Rule | None:
        """When this word is a name; None where it never is."""
        if token in self.words:
            return self.words[token]
        for length, starts in self.starts.items():
            if token[:length] in starts:
                return "anyhow"
        for length, stems in self.stems.items():
            if token[:length] in stems and token[length:] in _cyrillic_endings():
                return "anyhow"
        prefixes = PREFIXES.get(_script_of(token))
        if prefixes:
            for length in (1, 2, 3):
                if len(token) - length >= 3 and prefixes.issuperset(token[:length]) and token[length:] in self.words:
                    return "anyhow"
        return None


def _holds(rule: Rule, text: str, start: int) -> bool:
    if rule == "anyhow":
        return True
    if not text[start].isupper():
        return False
    return rule == "capital" or not _begins_sentence(text, start)


def _begins_sentence(text: str, start: int) -> bool:
    for before in range(start - 1, max(start - 1 - LOOK_BACK, -1), -1):
        if text[before] in SENTENCE_ENDS:
            return True
        if text[before] not in OPENING:
            return False
    return True


def _places_of(text: str) -> list[int]:
    """For each character of the folded text, where it comes from."""
    places: list[int] = []
    for index, character in enumerate(text):
        places += [index] * len(_FOLDS[character])
    return places


def _spelled_otherwise(written: str, word: str) -> Iterator[str]:
    """German umlauts are also written as two letters, and the other way round."""
    lower = written.lower()
    if any(letter in lower for letter in "äöüå"):
        yield folded(lower.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("å", "aa"))
    if len(word) >= 5 and re.search("ae|oe|ue", word):
        yield re.sub("(a|o|u)e", r"\1", word)


def _script_of(word: str) -> str:
    first = word[0]
    if _UNSPACED.match(first):
        return "unspaced"
    if "\u1100" <= first <= "\u11ff":
        return "hangul"
    if "\u0400" <= first <= "\u052f":
        return "cyrillic"
    if "\u0590" <= first <= "\u05ff":
        return "hebrew"
    return "arabic" if "\u0600" <= first <= "\u077f" else "other"


@lru_cache(maxsize=1)
def _cyrillic_endings() -> frozenset[str]:
    return frozenset(folded(ending) for ending in CYRILLIC_ENDINGS)


@lru_cache(maxsize=1)
def _words() -> re.Pattern[str]:
    """Runs of letters with the marks that belong to them, which Python does not count as letters of a word."""
    marks = [chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M"]
    return re.compile(f"(?:[^\\W\\d_]|[{''.join(map(re.escape, marks))}])+")
