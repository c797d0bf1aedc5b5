"""Inputs that break parsers, few by default; PALLAS_FUZZ says how many."""

import os
import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

MANY = int(os.environ.get("PALLAS_FUZZ", "3000"))  # of those that are made quickly
FUZZED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# Absurd numbers and sizes, not-numbers, ends of lines, brackets, bytes that are no text.
NASTY = (
    b"-1", b"0", b"1e308", b"-1e309", b"nan", b"inf", b"999999999999999999999999", b"1_0", b"--", b"{", b"}",
    b"[", b"]", b"\n", b"\r", b"\0", b"\xff\xfe", b'"', b",", b";", b"\t", b" ", b"/", b"\xdb", b"\xdb\xdc",
    b"\xd1", b"\xc9", b"\xcc", b"Q,", b"I,1,", b"L,1,1,0,0,0", b"null", b"true", b'"payload"', b"?", b"&",
    b"=", b":", b"\xc2\xb2", b"\xe2\x82\xac", b"1e400", b"0x10",
)  # fmt: skip


def an_edit(nasty=NASTY):
    """One way to damage bytes, for `edited`: what, where, how much, and pieces that go in."""
    return st.tuples(
        st.sampled_from(["cut", "insert", "replace", "delete", "repeat"]),
        st.floats(0, 1),
        st.integers(1, 40),
        st.sampled_from(nasty) | st.binary(min_size=1, max_size=8),
    )


def edited(content, edits):
    """Valid bytes made invalid, one edit after the other."""
    for kind, where, length, what in edits:
        place = int(where * len(content))
        before, after = content[:place], content[place:]
        content = {
            "cut": before,
            "insert": before + what + after,
            "replace": before + what + after[len(what) :],
            "delete": before + after[length:],
            "repeat": before + after[:length] + after,
        }[kind]
    return content


def damaged(*valid):
    """Bytes near these valid ones, and bytes that are nothing."""
    near = st.builds(edited, st.sampled_from(valid), st.lists(an_edit(), max_size=4))
    nothing = st.binary(max_size=200) | st.lists(st.sampled_from(NASTY)).map(b"".join)
    return near | nothing


def quickly_damaged(valid, seed):
    """`MANY` inputs near the valid ones or made of nasty pieces, without hypothesis' care: 10 us each."""
    rng = random.Random(seed)
    kinds = ("cut", "insert", "replace", "delete", "repeat")
    for _ in range(MANY):
        if rng.random() < 0.1:
            yield b"".join(rng.choices(NASTY, k=rng.randrange(12)))
            continue
        content = rng.choice(valid)
        for _ in range(rng.randrange(4)):
            what = rng.choice(NASTY) if rng.random() < 0.6 else rng.randbytes(rng.randrange(1, 6))
            content = edited(
                content, [(rng.choice(kinds), rng.random(), rng.randrange(1, 40), what)]
            )
        yield content
