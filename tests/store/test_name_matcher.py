"""Names in what others wrote: every way to write one that the matcher knows, and what it must leave alone."""

from __future__ import annotations

import time
import unicodedata

import pytest

from store.people.name_matcher import NameMatcher, folded
from store.people.redaction import AgreementDraft, without_words_of
from testing.cpu_budget import within

FOUND: list[tuple[str, str, str]] = [
    # name, what others wrote, what is left
    ("Zoë Lindqvist", "Zoe said so", "… said so"),
    ("Zoë Lindqvist", "ZOË! zoë? ZOE.", "…! …? …."),
    ("Zoë Lindqvist", "with Zoe\u0308 at noon", "with … at noon"),
    ("Zoe\u0308 Lindqvist", "with Zoë at noon", "with … at noon"),
    ("Zoë Lindqvist", "Zoë Lindqvist and I", "… and I"),
    ("Zoë Lindqvist", "LINDQVIST, ZOE", "…"),
    ("Zoë Lindqvist", "Zoë's goal, Zoë’s plan, Zoes Ziel, Lindqvists Ziel", "…'s goal, …’s plan, … Ziel, … Ziel"),
    ("Zoë Lindqvist", "Zo\u00ade, Zo\u200be", "…"),
    ("Zoë Lindqvist", "@zoe_l, zoe1990, z/zoe", "@…_l, …1990, z/…"),
    ("Li Na", "Li is kind; LI as well", "… is kind; … as well"),
    ("Li Na", "Li's plan, Lis Plan, li na", "…'s plan, … Plan, …"),
    ("Bo Ek", "Bo's and Bos Idee", "…'s and … Idee"),
    ("Al Das", "when Al came", "when … came"),
    ("An Do", "I met An and Do today", "I met … and … today"),
    ("Will May", "Will and May Will", "… and …"),
    ("Hans Marx", "Hans' Idee, Marxens Idee", "…' Idee, … Idee"),
    ("Müller", "Mueller, Muller, MÜLLERS", "…"),
    ("Juergen", "Jürgen and Jürgens", "… and …"),
    ("Ludwig van Beethoven", "Ludwig van Beethoven's", "…'s"),
    ("Anna-Lena Groß", "Anna Lena, Annalena, Lena", "…"),
    ("O’Neill", "O'Neill", "…"),
    ("Łukasz Ørsted", "lukasz orsted", "…"),
    ("Ayşe Işık", "Ayşe'nin, AYŞE, isik", "…'nin, …"),
    ("Анна Петрова", "с Анной и без Анны; Петровой", "с … и без …; …"),
    ("Сергей", "Сергея, сергеем", "…"),
    ("أحمد", "لأحمد و احمد", "… و …"),
    ("דנה", "לדנה", "…"),
    ("王芳", "我和王芳、王女士、小王", "我和…、…、…"),
    ("王小明", "小明说", "…说"),
    ("李 娜", "李娜和李先生", "…和…"),
    ("山田 太郎", "山田さんと太郎くん", "…さんと…くん"),
    ("김민수", "김민수님이 그리고 민수가", "… 그리고 …"),
    ("สมชาย", "คุณสมชายครับ", "คุณ…ครับ"),
    ("सीता देवी", "सीता ने कहा", "… ने कहा"),
    ("Dr. Ada B. Lovelace", "Ada B. Lovelace, dr. who", "…, dr. who"),
]

LEFT: list[tuple[str, str]] = [
    ("Zoë Lindqvist", "zoology, Zoey, amazoe"),
    ("Li Na", "li, Lisa, na, Nadia, alibi"),
    ("Bo Ek", "bo, Bob, about"),
    ("Al Das", "Das war gut. Als ich kam. das, als"),
    ("An Do", "An old friend. Do you? an, do"),
    ("Will May", "I will, we may; willing"),
    ("Ludwig van Beethoven", "the van, a Ludwigsburg"),
    ("Ada B. Lovelace", "b, adamant, a plan B"),
    ("王芳", "国王, 芳香"),
    ("Анна", "Аннотация"),
    ("सीता", "सीतापुर"),
    ("Mia", "media, Mi a"),
]


@pytest.mark.parametrize(("name", "written", "left"), FOUND)
def test_a_name_is_found_however_it_is_written(name: str, written: str, left: str) -> None:
    assert NameMatcher.of([name]).out_of_text(written) == left
    decomposed = NameMatcher.of([unicodedata.normalize("NFD", name)]).out_of_text(
        unicodedata.normalize("NFD", written)
    )
    assert unicodedata.normalize("NFC", decomposed) == left


@pytest.mark.parametrize(("name", "written"), LEFT)
def test_what_is_no_name_stays(name: str, written: str) -> None:
    assert NameMatcher.of([name]).out_of_text(written) == written


def test_addresses_are_found_whole_and_in_any_case() -> None:
    matcher = NameMatcher.of(["Ben Mentee"], ["ben@example.org"])
    assert matcher.out_of_text("Write to BEN@example.org.") == "Write to …."
    assert matcher.out_of_text("to ruben@example.org or x@ben.example") == "to ruben@example.org or x@….example"


def test_every_name_ever_is_found_and_nobody_is_found_by_none() -> None:
    matcher = NameMatcher.of(["Zoë Lindqvist", "Zoë Berg", ""])
    assert matcher.out_of({"a": ["Berg", {"b": "Lindqvist"}, 3], "zoe": None}) == {
        "a": ["…", {"b": "…"}, 3],
        "zoe": None,
    }
    assert NameMatcher().out_of("Zoë Berg") == "Zoë Berg"
    assert NameMatcher.of(["", "-", "B."]).out_of("B. and - and x") == "B. and - and x"


def test_folding_keeps_what_other_scripts_need() -> None:
    assert folded("が") != folded("か")
    assert folded("สมชาย") == "สมชาย"
    assert folded("İSTANBUL ıstanbul") == "istanbul istanbul"


NAMES = {
    "usual": ["Zoë Lindqvist"],
    "many": [f"Name{number} Von{number} Du{number}" for number in range(60)],
    "repeating": ["A b " * 50 + str(number) for number in range(50)],
    "the same letter": ["a " * 100, "n a " * 50],
    "without spaces": ["王芳", *(f"名{chr(0x4E00 + number)}" for number in range(50))],
    "of another script": ["Анна Петрова", "김민수", "أحمد"],
}
TEXTS = {
    "letters": "a " * 100_000,
    "pairs": "n a b " * 40_000,
    "accents": "é " * 80_000,
    "marks": "\u0301" * 100_000,
    "characters": "王" * 100_000,
    "syllables": "김" * 100_000,
    "stems": "Анн" * 60_000,
    "addresses": "a@a." * 50_000,
    "dots": "." * 200_000 + "Du",
}


@pytest.mark.parametrize("names", NAMES)
def test_the_cost_is_in_proportion_to_the_text(names: str) -> None:
    """CPU of this process: twice the text is about twice the work, and never a multiple of it."""
    matcher = NameMatcher.of(NAMES[names], ["a@a.a"])
    for what, text in TEXTS.items():
        assert any(within(_spent(matcher, text), 2) for _ in range(2)), (names, what)


def test_what_two_versions_share_is_found_in_proportion_to_them() -> None:
    """Two texts of the same letters, which made the search for the longest common part quadratic."""
    own, other = "ab" * 20_000, "ba" * 20_000 + "c"
    versions = [
        AgreementDraft("ben", {"p": own}),
        AgreementDraft("ada", {"p": other}),
        AgreementDraft("ada", {"p": "c"}),
    ]
    began = time.process_time()
    assert without_words_of("ben", versions, None) == [{}, {}, {"p": "c"}]
    assert within(time.process_time() - began, 1)


def _spent(matcher: NameMatcher, text: str) -> float:
    began = time.process_time()
    matcher.out_of_text(text)
    return time.process_time() - began
