"""Whatever stands in a file, the loader answers with a cohort or with faults, and with nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from program.loader import Fault, Faults, load_cohort, load_form, load_program
from testing.environments.config_files import FILES, FROM_CSV, PAIRS, PEOPLE, lay

PIECES = st.sampled_from(
    [
        *(line + "\n" for text in FILES.values() for line in text.splitlines()),
        *("- ", ": ", "[", "]", "{", "}", "&a ", "*a", "!x ", "!!int ", "? ", "|\n", ">-\n", "%YAML 1.1\n---\n"),
        *("<<: *a\n", "\t", '"', "'", "\\0", '"\\0"', "~", "null", "true", ".nan", ".inf", "0x1F", "0o9", "1e999"),
        *("9999-12-31", "-1d", "9" * 5000 + "d", "end + 3660d", "../../x", "\ufeff", "\u2028", "\x85", "§", "0"),
    ]
)
JUNK = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=30).map("".join))


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, str]:
    """A config file with something cut out of it and something put in."""
    name = draw(st.sampled_from(sorted(FILES)))
    text = FILES[name]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 60)))
    return name, text[:start] + draw(st.one_of(JUNK, PIECES, st.just(""))) + text[end:]


LOADS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def faults_of(load: Callable[[Path], object], path: Path) -> tuple[Fault, ...] | None:
    try:
        load(path)
    except Faults as found:
        return found.faults
    return None


def answers(files: dict[str, str | bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cohort = lay(Path(folder), files)
        for load, path in (
            (load_cohort, cohort),
            (load_program, Path(folder) / "programs" / "tiny.yaml"),
            (load_form, Path(folder) / "forms" / "closure.yaml"),
        ):
            faults = faults_of(load, path)
            assert faults is None or faults
            assert all(one.line >= 1 and one.column >= 1 and one.problem for one in faults or ())


@LOADS
@given(JUNK)
@example("program: .nan\nlength: .inf\nletterbox: {opens: 09:00Z}\n")
@example("a: !!int x\nb: !!float y\nc: !!bool z\nd: !!null w\n")
@example("? {a: b}\n: c\n[x]: d\n")
def test_junk_instead_of_a_file(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    answers({"cohorts/c.yaml": content})
    answers({"programs/tiny.yaml": content, "forms/closure.yaml": content})


@LOADS
@given(spoilt())
def test_junk_within_a_file(file: tuple[str, str]) -> None:
    answers({file[0]: file[1].encode("utf-8", "surrogatepass")})


@LOADS
@given(st.binary(max_size=80), st.integers(0, len(PEOPLE)), st.integers(0, len(PAIRS)))
@example(b"\x00", 3, 3)
@example(b'"', 60, 60)
@example(b"\r", 0, 0)
def test_junk_within_a_csv(junk: bytes, people: int, pairs: int) -> None:
    def within(text: str, at: int) -> bytes:
        return text[:at].encode() + junk + text[at:].encode()

    answers(
        {
            "cohorts/c.yaml": FROM_CSV,
            "cohorts/people.csv": within(PEOPLE, people),
            "cohorts/pairs.csv": within(PAIRS, pairs),
        }
    )
