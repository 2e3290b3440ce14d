import copyreg
import os
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.base.errors import DataError
from benchmark.data.feature_files import unpickle
from benchmark.data.feature_files.unpickle import read_pickle
from tests.benchmark.data.feature_files.hostile import BROKEN, PYTHON2, REFUSED_NAMES, REFUSED_STEPS, MiB
from tests.benchmark.data.feature_files.hostile_messages import MESSAGES

ARRAYS = [
    np.arange(6, dtype=np.float16),
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.arange(6, dtype=np.float64).reshape(2, 3).T,
    np.arange(12, dtype=np.float32).reshape(3, 4)[:, 1],
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(3, dtype=">f4"),
    np.arange(-3, 3, dtype=np.int64),
    np.array([True, False]),
    np.array(["F", "Mé"]),
    np.array(["F", "M\U0001f600"], dtype=">U3"),
    np.array([b"F", b"MM"]),
    np.array(3.5),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype.str}{a.shape}")
def test_arrays_of_every_protocol_come_back_equal(array, protocol):
    read = read_pickle(pickle.dumps(array, protocol))
    assert read.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_of_every_protocol_come_back_equal(protocol):
    shared = ["é€\U0001f600", "line\nquote'\\", ""]
    value = (None, True, False, 0, 255, 65535, -1, 2**31, -(2**63), 1.5, shared, [shared], {"a": 1, 2: ()}, b"\x00\xff")
    value += ((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], {}, "x" * 300, list(range(2000)))
    assert read_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_scalars_come_back_as_pythons_and_sets_as_lists(protocol):
    value = [np.float32(1.5), np.int64(7), np.bool_(True), np.str_("F"), {3}, frozenset({4})]
    read = read_pickle(pickle.dumps(value, protocol))
    assert read == [1.5, 7, True, "F", [3], [4]]
    assert [type(v) for v in read[:4]] == [float, int, bool, str]


def test_an_array_that_is_named_twice_is_one_array():
    array = np.zeros(3)
    first, second = read_pickle(pickle.dumps([array, array]))
    assert first is second


@pytest.mark.parametrize("form", PYTHON2)
def test_python_2_pickles_are_read_as_latin1(form):
    array, text = read_pickle(PYTHON2[form])
    np.testing.assert_array_equal(array, np.array([1.5, -2.0], np.float32))
    assert text == "café"


@pytest.mark.parametrize("core", ["core", "_core"])
def test_numpys_modules_are_known_by_old_and_new_name(core):
    content = pickle.dumps([np.zeros(2), np.float64(3)], 2).replace(
        b"numpy._core.multiarray", f"numpy.{core}.multiarray".encode()
    )
    assert read_pickle(content)[1] == 3


@pytest.fixture
def registered_extension():
    """A process in which an extension code already stands for os.system, and has been used."""
    copyreg.add_extension("os", "system", 0x77)
    copyreg._extension_cache[0x77] = os.system
    yield
    copyreg.remove_extension("os", "system", 0x77)


def refusal(content):
    """The message with which the content is refused, after showing that nothing happened."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            read_pickle(content)
        assert tracemalloc.get_traced_memory()[1] < 100 * MiB
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.fixture
def nothing_happens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    admitted = {name: dict(vars(proxy)) for name, proxy in unpickle.ADMITTED.items()}
    yield
    assert list(tmp_path.iterdir()) == []
    assert {name: dict(vars(proxy)) for name, proxy in unpickle.ADMITTED.items()} == admitted


def test_the_canary_would_sing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(REFUSED_NAMES["reduce"])
    assert (tmp_path / "canary").exists()


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("attack", REFUSED_NAMES)
def test_a_name_that_arrays_do_not_need_is_refused(attack):
    assert refusal(REFUSED_NAMES[attack]).startswith(f"{MESSAGES[attack]}; nothing was executed; ")


@pytest.mark.usefixtures("nothing_happens", "registered_extension")
@pytest.mark.parametrize("attack", REFUSED_STEPS)
def test_a_step_that_features_do_not_need_is_refused(attack):
    assert refusal(REFUSED_STEPS[attack]).startswith(f"{MESSAGES[attack]}; nothing was executed; ")


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("defect", BROKEN)
def test_a_broken_pickle_is_an_error_that_says_where(defect):
    assert refusal(BROKEN[defect]).startswith(f"not a whole pickle ({MESSAGES[defect]}")


def test_the_refusal_says_which_name_where_and_what_to_do():
    message = refusal(b"\x80\x02]cposix\nsystem\n.")
    assert "refused the name 'posix.system' at byte 3; nothing was executed; use the published file" in message


def test_the_refusal_of_an_instance_names_it():
    assert "posix.system" in refusal(b"(iposix\nsystem\n.")


def test_the_number_of_opcodes_is_bounded(monkeypatch):
    monkeypatch.setattr(unpickle, "MAX_OPCODES", 1000)
    assert "more than 1000 opcodes" in refusal(b"]" * 2000 + b".")


def test_a_named_character_imports_nothing():
    script = (
        "import sys; from benchmark.data.feature_files.unpickle import DataError, read_pickle\n"
        "try: read_pickle(sys.stdin.buffer.read())\n"
        "except DataError as error: print(error)\n"
        "print('unicodedata' in sys.modules)"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], input=b"S'\\N{BULLET}'\n.", capture_output=True, check=True
    ).stdout.decode()

    assert "not a whole pickle" in said
    assert said.endswith("False\n")


@pytest.mark.parametrize(
    "text", [bytes(range(256)).decode("latin1"), r"\N{BULLET}", r"\u0041 \x41", "it's", '"', "\n\\", ""]
)
def test_python_2s_text_form_of_a_string_is_read_back(text):
    escaped = repr(text.encode("latin1"))[1:].encode()  # bytes are escaped as Python 2's str was

    assert read_pickle(b"S" + escaped + b"\n.") == text


def test_what_was_refused_is_shown_short_whatever_it_is():
    unprintable = b"c_codecs\nencode\n" + 2 * (b"X\xc8\0\0\0" + bytes(200)) + b"\x86R."

    with pytest.raises(DataError, match=r"refused _codecs\.encode of '.{59}…' to '.{59}…' at byte") as refused:
        read_pickle(unprintable)

    assert len(str(refused.value)) < 300


def test_deep_nesting_is_read_without_recursion():
    nested = read_pickle(b"]" * 300_000 + b"a" * 299_999 + b".")
    for _ in range(299_999):
        (nested,) = nested
    assert nested == []


def test_billion_laughs_stay_as_small_as_they_are_written():
    laughs = b"]q\x00" + b"".join(b"]q%c(" % (i + 1) + b"h%c" % i * 10 + b"e" for i in range(100)) + b"."
    tracemalloc.start()
    read_pickle(laughs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MiB


VALID = [pickle.dumps([{"é": "F", 1: np.float32(2)}, {3}, *ARRAYS], p) for p in range(6)]


@settings(max_examples=1000)
@given(st.sampled_from(VALID + list(PYTHON2.values())), st.data())
def test_changed_bytes_are_read_or_refused_and_nothing_else(content, data):
    changed = bytearray(content)
    places = st.integers(0, len(changed) - 1)
    for at, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        changed[at] = byte
    cut = data.draw(st.integers(0, len(changed)))
    for variant in (bytes(changed), bytes(changed[:cut])):
        try:
            read_pickle(variant)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017  # either outcome is right


@settings(max_examples=1000)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(content):
    try:
        read_pickle(content)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017
