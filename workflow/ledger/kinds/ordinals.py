"""Every cell as an integer, so that neighbouring numbers are neighbouring integers.

A float becomes its rank among the floats of its type, so the difference of two ordinals is the
number of ulps between them; -0.0 comes right below 0.0, and all NaNs are one. Integers and booleans
stay what they are. Text becomes 64 bits of its hash, whose differences mean nothing.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TENSORS = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?"},
    **{f"{kind}{8 * width}": f"<{kind.lower()}{width}" for kind in "IU" for width in (1, 2, 4, 8)},
}
"""NumPy's names for the types of safetensors that it has."""


def of_values(values: np.ndarray) -> np.ndarray:
    """Ordinals of booleans, integers or floats, of the same shape; NaNs by their bits.

    Returns
    -------
    int32 where the values' type fits in there, else int64 (modulo 2**64 for uint64).
    """
    kind, width = values.dtype.kind, values.dtype.itemsize
    if kind == "f":
        return of_float_bits(values.view(f"<i{width}"))
    fits = width < 4 or (width == 4 and kind == "i")
    return values.astype(np.int32 if fits else np.int64, copy=False)


def of_float_bits(bits: np.ndarray) -> np.ndarray:
    """Ordinals of floats given as the signed integers that their bits are."""
    sign = 8 * bits.itemsize - 1
    ordinals = bits >> sign
    ordinals &= (1 << sign) - 1
    ordinals ^= bits
    return ordinals.astype(np.int32, copy=False) if sign < 31 else ordinals


def with_one_nan(values: np.ndarray) -> np.ndarray:
    """Floats whose NaNs are all the canonical one; anything else as it is."""
    if values.dtype.kind == "f" and (is_nan := np.isnan(values)).any():
        return np.where(is_nan, values.dtype.type("nan"), values)
    return values


def of_chunk(chunk: pa.Array) -> np.ndarray:
    """Ordinals of an Arrow array; a missing value is the largest integer."""
    if pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    missing = chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None
    if pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type):
        found = _of_texts(chunk)
    else:
        if missing is not None:
            chunk = pc.fill_null(chunk, pa.scalar(0).cast(chunk.type))
        found = of_values(with_one_nan(chunk.to_numpy(zero_copy_only=False)))
    if missing is not None:
        found = np.where(missing, np.iinfo(found.dtype).max, found)
    return found


def of_tensor(kind: str, content: bytes) -> np.ndarray | None:
    """Ordinals of a safetensors tensor from its bytes, flat; None for a type without a rule."""
    if kind == "BF16":
        return of_float_bits(np.frombuffer(content, "<i2"))
    if kind not in TENSORS:
        return None
    return of_values(with_one_nan(np.frombuffer(content, TENSORS[kind])))


def of_lines(content: bytes) -> np.ndarray:
    """Ordinals of the lines of a text file."""
    return np.fromiter(map(_hash, content.splitlines()), np.int64)


def _of_texts(chunk: pa.Array) -> np.ndarray:
    """Hashes of texts, of which each one is hashed once; of a missing text any number."""
    encoded = chunk.dictionary_encode()
    hashes = [_hash(text.encode()) for text in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
    return np.array([*hashes, 0], np.int64)[codes]


def _hash(text: bytes) -> int:
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little", signed=True)
