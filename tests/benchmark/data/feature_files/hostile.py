"""Pickles written by hand: Python 2's, which are read, and hostile or broken ones, which are refused."""

import pickle
import struct

import numpy as np

PYTHON2_VALUES = np.array([1.5, -2.0], "<f4").tobytes()
PYTHON2 = {
    "text": b"(lp0\ncnumpy.core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2\n(I0\ntp3\nS'b'\np4\ntp5\nRp6\n"
    b"(I1\n(I2\ntp7\ncnumpy\ndtype\np8\n(S'f4'\np9\nI0\nI1\ntp10\nRp11\n(I3\nS'<'\np12\nNNNI-1\nI-1\nI0\ntp13\nbI00\n"
    b"S" + ascii(PYTHON2_VALUES)[1:].encode() + b"\np14\ntp15\nbaS'caf\\xe9'\na.",
    "binary": b"\x80\x02]q\x00(cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nq\x02K\x00\x85U\x01bq\x03\x87R"
    b"(K\x01K\x02\x85cnumpy\ndtype\nq\x04U\x02f4K\x00K\x01\x87R"
    b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x08\x00\x00\x00"
    + PYTHON2_VALUES
    + b"tbU\x04caf\xe9e.",
}

# Hostile pickles, written by hand. Each tries to create the file `canary` in the working directory.

COMMAND = "touch canary"
SYSTEM = b"cos\nsystem\n"
MiB = 2**20


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def stacked(module, name):
    return text(module) + text(name) + b"\x93"


def array_of(state):
    return b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text("b") + b"tR" + state + b"b."


def dtype(code, state=b""):
    return b"cnumpy\ndtype\n(" + text(code) + b"\x89\x88tR" + state


FLOAT32 = dtype("f4")


def filled(shape, values=b"C\x04abcd", kind=FLOAT32):
    return array_of(b"(K\x01" + shape + kind + b"\x89" + values + b"t")


ARGUMENT = text(COMMAND)
REFUSED_NAMES = {
    "reduce": SYSTEM + ARGUMENT + b"\x85R.",
    "global alone": SYSTEM + b".",
    "the system's own name": b"cposix\nsystem\n" + ARGUMENT + b"\x85R.",
    "stack_global": b"\x80\x04" + stacked("os", "system") + ARGUMENT + b"\x85R.",
    "stack_global of the memo": b"\x80\x04"
    + text("os")
    + b"\x940"
    + text("system")
    + b"\x940h\x00h\x01\x93"
    + ARGUMENT
    + b"\x85R.",
    "build": SYSTEM + b"}" + ARGUMENT + b"K\x01sb.",
    "put and fetched": SYSTEM + b"q\x000h\x00" + ARGUMENT + b"\x85R.",
    "inst": b"(" + ARGUMENT + b"ios\nsystem\n.",
    "obj": b"(" + SYSTEM + ARGUMENT + b"o.",
    "newobj": b"csubprocess\nPopen\n" + ARGUMENT + b"\x85\x81.",
    "newobj_ex": b"csubprocess\nPopen\n" + ARGUMENT + b"\x85}\x92.",
    "eval": b"cbuiltins\neval\n" + text("open('canary', 'w')") + b"\x85R.",
    "exec of python 2": b"c__builtin__\nexec\n" + text("open('canary', 'w')") + b"\x85R.",
    "import": b"cbuiltins\n__import__\n" + text("os") + b"\x85R.",
    "getattr": b"cbuiltins\ngetattr\ncnumpy\nndarray\n" + text("tofile") + b"\x86R.",
    "open": b"cbuiltins\nopen\n" + text("canary") + text("w") + b"\x86R.",
    "dotted class": stacked("numpy", "ndarray.tofile") + b".",
    "dotted global": b"cnumpy\nndarray.tofile\n.",
    "dotted proxy": stacked("numpy.core.multiarray", "_reconstruct.__globals__") + b".",
    "name of this module": stacked("benchmark.data.feature_files.unpickle", "sys") + b".",
    "numpy's loader": stacked("numpy", "load") + text("canary") + b"\x85R.",
    "numpy's runstring": stacked("numpy.testing", "runstring") + text("open('canary','w')") + b"}\x86R.",
    "copyreg": b"ccopyreg\n_reconstructor\n(c" + b"builtins\nobject\ncbuiltins\nobject\nNtR.",
    "bytearray": b"cbuiltins\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85R.",
    "operator": b"coperator\nattrgetter\n" + text("tofile") + b"\x85R.",
    "empty name": stacked("", "") + b".",
    "name with a newline": stacked("os\nx", "system") + b".",
}
REFUSED_STEPS = {
    "name that is no string": b"K\x01K\x02\x93.",
    "name that is a billion laughs": b"]q\x00"
    + b"".join(b"]q%c(" % (i + 1) + b"h%c" % i * 10 + b"e" for i in range(30))
    + b"K\x01\x93.",
    "name that is a deep list": b"]" * 100_000 + b"a" * 99_999 + b"K\x01\x93.",
    "ext1": b"\x82\x77" + ARGUMENT + b"\x85R.",
    "ext2": b"\x83\x77\x00" + ARGUMENT + b"\x85R.",
    "ext4": b"\x84\x77\x00\x00\x00" + ARGUMENT + b"\x85R.",
    "persid": b"Pos.system\n.",
    "binpersid": ARGUMENT + b"Q.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "read-only buffer": b"\x80\x05C\x01a\x98.",
    "obj of an array": b"(cnumpy\nndarray\nK\x01o.",
    "newobj of an array": b"cnumpy\nndarray\nK\x01\x85\x81.",
    "newobj_ex of an array": b"cnumpy\nndarray\nK\x01\x85}\x92.",
    "call of an array type": b"cnumpy\nndarray\n(\x8a\x06\x00\x00\x00\x00\x00\x01\x85tR.",
    "call of a string": ARGUMENT + ARGUMENT + b"\x85R.",
    "call of an array": array_of(b"")[:-2] + b")R.",
    "call with a list": b"c_codecs\nencode\n]R.",
    "encode with another codec": b"c_codecs\nencode\n" + ARGUMENT + text("zlib") + b"\x86R.",
    "reconstruct another kind": b"cnumpy.core.multiarray\n_reconstruct\n(c_codecs\nencode\n(K\x00tK\x01tR.",
    "build an array type": b"cnumpy\nndarray\n}" + text("tofile") + b"K\x01sb.",
    "build a proxy's dict": b"c_codecs\nencode\n}" + text("__code__") + b"K\x01sb.",
    "build a proxy's slots": b"c_codecs\nencode\nN}" + text("__code__") + b"K\x01s\x86b.",
    "build a list": b"]}b.",
    "build an array from a dict": array_of(b"}" + text("__setstate__") + b"K\x01s"),
    "build an array from a list of objects": filled(b"K\x01\x85", b"]K\x01a"),
    "build an array of no dtype": filled(b"K\x01\x85", kind=text("f4")),
    "shape below zero": filled(b"J\xff\xff\xff\xff\x85"),
    "shape of floats": filled(b"G?\xf0\x00\x00\x00\x00\x00\x00\x85"),
    "shape of objects": filled(b"c_codecs\nencode\n\x85"),
    "33 dimensions": filled(b"(" + b"K\x01" * 33 + b"t"),
    "append to an array": array_of(b"")[:-2] + b"K\x01a.",
    "append to a proxy": b"c_codecs\nencode\nK\x01a.",
    "extend a tuple": b")(K\x01e.",
    "set an item of a list": b"]K\x00K\x01s.",
    "set an item of a proxy": b"c_codecs\nencode\nK\x00K\x01s.",
    "tuple as key": b"})K\x01s.",
    "float as key": b"}G?\xf0\x00\x00\x00\x00\x00\x00K\x01s.",
    "key of 61 bits": b"}\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x1fK\x01s.",
    "deep tuple as key": b"})" + b"\x85" * 200_000 + b"K\x01s.",
    "set of an array": b"cbuiltins\nset\n" + array_of(b"")[:-2] + b"\x85R.",
    "integer of 2000 bits": b"\x8a\xfa" + b"\x7f" * 250 + b".",
    "integer of a megabyte": b"\x8b\x00\x00\x10\x00" + b"\x7f" * MiB + b".",
    "memo entry 2^32 - 1": b"Nr\xff\xff\xff\xff.",
    "memo entry of 20 digits": b"Np99999999999999999999\n.",
    **{
        f"dtype {code}": dtype(code) + b"."
        for code in [
            "O",
            "O8",
            "|O",
            "V8",
            "M8[s]",
            "c16",
            "f4,O",
            "(1000000000000,)f4",
            "U99999999",
            "S0",
            "object",
            "",
        ]
    },
    "dtype from a dict": b"cnumpy\ndtype\n}\x85R.",
    "dtype with fields": dtype("f4", b"(K\x03" + text("<") + b"NK\x01\x85}K\x04K\x04K\x00tb."),
    "dtype with a subarray": dtype("f4", b"(K\x03" + text("<") + b"K\x01NNK\x04K\x04K\x00tb."),
    "dtype from a dict state": dtype("f4", b"}b."),
}
BROKEN = {
    "nothing": b"",
    "no pickle": b"PK\x03\x04 a zip archive",
    "html": b"<!DOCTYPE html><html>",
    "cut off": pickle.dumps([np.arange(100.0)] * 3, 4)[:-5],
    "no stop": b"N",
    "empty stack": b".",
    "mark without end": b"t.",
    "too few values": b"K\x01\x87.",
    "reduce with too few": b")R.",
    "memo that is not there": b"h\x07.",
    "odd number of items": b"}(K\x01u.",
    "string without quotes": b"Sabc\n.",
    "string with a bad escape": b"S'\\q'\n.",
    "unfinished utf-8": b"X\x01\x00\x00\x00\xff.",
    "integer of letters": b"Iabc\n.",
    "integer of 100 000 digits": b"L" + b"9" * 100_000 + b"L\n.",
    "float of letters": b"Fabc\n.",
    "wrong arguments": b"c_codecs\nencode\n)R.",
    "encode of what is not latin1": b"c_codecs\nencode\n" + text("€") + text("latin1") + b"\x86R.",
    "terabyte of bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
    "all bytes there can be": b"\x80\x04\x8e" + struct.pack("<Q", 2**63 - 1) + b"abc.",
    "more bytes than there can be": b"\x80\x04\x8e" + b"\xff" * 8 + b"abc.",
    "terabyte of text": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"abc.",
    "terabyte of bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",
    "four gigabytes of bytes": b"B\xff\xff\xff\xffabc.",
    "string of negative length": b"T\xff\xff\xff\xffabc.",
    "frame of a terabyte and no more": b"\x80\x04\x95" + struct.pack("<Q", 2**40),
    "terabyte array": filled(b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85"),
    "array of 2^64 + 1 values": filled(b"(\x8a\x05\x00\x00\x00\x00\x01\x8a\x05\x00\x00\x00\x00\x01K\x01t"),
    "array without values of impossible sizes": filled(
        b"(" + b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3f" * 3 + b"K\x00t", b"C\x00"
    ),
    "array of no characters": filled(b"K\x01\x85", b"C\x04\xff\xff\xff\xff", dtype("U1")),
    "terabyte buffer": b"\x80\x05cnumpy._core.numeric\n_frombuffer\n(C\x04abcd"
    + dtype("f4")
    + b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85"
    + text("C")
    + b"tR.",
    "scalar of the wrong size": b"cnumpy.core.multiarray\nscalar\n" + dtype("f8") + b"C\x04abcd\x86R.",
}
