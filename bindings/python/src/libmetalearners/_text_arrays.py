"""Numbers that are written as texts, among them those of arrays of texts, which NumPy makes of rows that have numbers and texts.

Nobody can tell them from categories whose names are numbers. So a fit refuses arrays of texts with such columns and warns of all others; of new
rows the learner knows which columns are categories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Collection, Iterable, Iterator

import numpy.typing as npt

from ._columns import is_arrow_text, type_of
from ._spelling import WORDS, MissingValues, is_missing, is_number, may_be_missing
from .errors import InvalidDataError

if TYPE_CHECKING:
    from ._data import Frame

#: Arrow tables are looked through only where their first rows look like numbers.
_FIRST_ROWS = 1000
_PURPOSE = "spec={'data': {'categorical': [%s]}}"


def are_texts(data: Any, array: npt.NDArray[Any]) -> bool:
    """Whether a matrix, or one of the rows that it is made of, is an array of texts.

    Parameters
    ----------
    data : what the caller gave: the array, or the rows that it was made of.
    array : shape (n, p).
    """
    if array.dtype.kind in "US":
        return True
    if array.dtype.kind != "O" or not isinstance(data, (list, tuple)):
        return False
    return any(row.dtype.kind in "US" for row in data if hasattr(row, "dtype"))


def check_learnt(frame: Frame, covariates: Collection[str], categorical: Collection[str], missing: MissingValues) -> list[str]:
    """Looks for numbers that are written as texts among the covariates of a fit: refuses those of arrays of texts, and says what to warn of.

    Parameters
    ----------
    covariates : names of columns.
    categorical : those of them that the spec calls categories: they are, on purpose.
    missing : what the spec calls missing.
    """
    found = [name for name, levels in _texts(frame, missing) if name in covariates and name not in categorical and _spells_numbers(levels, missing)]
    if not found:
        return []
    purpose = _PURPOSE % ", ".join(repr(name) for name in found)
    if frame.of_texts:
        raise InvalidDataError(
            "all texts of this column are numbers, and in an array of texts they would be categories", f"column '{found[0]}'",
            f"where they are numbers, pass a data frame, a list of rows, or an array made with dtype=object; where they are categories, say so: {purpose}",
        )  # fmt: skip
    names = ", ".join(f"'{name}'" for name in found[:6]) + (", …" if len(found) > 6 else "")
    return [
        f"{'column' if len(found) == 1 else 'columns'} {names}: all texts are numbers, and yet they are categories, because they are texts: pass numbers as numbers"
        f" (float, astype(float)), or say that these are categories: {purpose}, or a categorical column of pandas, polars or Arrow"
    ]


def check_new(frame: Frame, numbers: Collection[str]) -> None:
    """Refuses arrays of texts with a column that a learner knows as numbers."""
    if not frame.of_texts:
        return
    for name, values in frame.columns.items():
        if values.is_text and name in numbers:
            raise InvalidDataError(
                "is text in an array of texts, and the learner was fitted to numbers", f"column '{name}'",
                "pass a data frame, a list of rows, or an array made with dtype=object, in which numbers stay numbers",
            )  # fmt: skip


def check_missing(frame: Frame, names: Collection[str], missing: MissingValues) -> list[str]:
    """What to warn of where texts are levels that a file of the same data has as missing values.

    Parameters
    ----------
    names : the columns that are used.
    missing : what the spec calls missing.
    """
    told = []
    for name, suspects, texts in _suspects(frame):
        levels = [text for text in suspects if text not in missing]
        if name not in names or not levels:
            continue
        found = [level for level in levels if is_missing(level)]
        if len(found) < len(levels) and all(_spells_numbers(some, missing) for some in texts()):
            found = levels
        if not found:
            continue
        listed, one = ", ".join(f"'{level}'" for level in found[:6]) + (", …" if len(found) > 6 else ""), len(found) == 1
        told.append(
            f"column '{name}': the {'text' if one else 'texts'} {listed} {'is a level' if one else 'are levels'} here, and in a file of the same data"
            f" {'it' if one else 'they'} would be missing: where {'it stands' if one else 'they stand'} for missing values, pass None, or say so by"
            f" spec={{'data': {{'missing_values': [{listed}]}}}}; where {'it is a level' if one else 'they are levels'}, rename {'it' if one else 'them'}"
        )
    return told


def _suspects(frame: Frame) -> Iterable[tuple[str, list[str], Callable[[], Iterator[list[Any]]]]]:
    """Columns of texts, of categories too, with their texts that may stand for a missing value, and what tells whether all others are numbers: a few texts first."""
    for name, values in frame.columns.items():
        labels: Iterable[Any] = values.labels if values.labels is not None else values.levels or ()
        texts = [_text(label) for label in labels if isinstance(label, (str, bytes))]
        found = [text for text in texts if may_be_missing(text)]
        if found:
            yield name, found, lambda texts=texts: iter([texts])  # type: ignore[misc]
    if frame.arrow is None:
        return
    module = type(frame.source).__module__.split(".")[0]
    if module == "polars":
        for name, dtype in frame.source.schema.items():
            if str(dtype).split("(")[0] in ("String", "Utf8", "Categorical", "Enum"):
                unique = frame.source[name].unique().cast(type_of(frame.source, "String")).drop_nulls()
                found = unique.filter(unique.str.to_lowercase().str.replace_all(r"^\s+|\s+$", "").is_in(sorted(WORDS))).to_list()
                yield name, [text for text in found if may_be_missing(text)], lambda unique=unique: _some_and_all(unique)  # type: ignore[misc]
    elif module == "pyarrow" and hasattr(frame.source, "column"):
        import pyarrow as pa
        from pyarrow import compute

        for place, field in enumerate(frame.source.schema):
            coded = hasattr(field.type, "index_type") and is_arrow_text(field.type.value_type)
            if coded or is_arrow_text(field.type):
                unique = frame.source.column(place).unique().drop_null().cast(pa.large_string())
                words = pa.array(sorted(WORDS), pa.large_string())
                found = unique.filter(compute.is_in(compute.utf8_lower(compute.utf8_trim_whitespace(unique)), value_set=words)).to_pylist()
                yield field.name, [text for text in found if may_be_missing(text)], lambda unique=unique: _some_and_all(unique)  # type: ignore[misc]


def _some_and_all(unique: Any) -> Iterator[list[Any]]:
    """The first texts of a column of polars or pyarrow, and then all: most columns are told apart by a few."""
    yield (unique.slice(0, _FIRST_ROWS)).to_pylist() if hasattr(unique, "to_pylist") else unique.head(_FIRST_ROWS).to_list()
    yield unique.to_pylist() if hasattr(unique, "to_pylist") else unique.to_list()


def _text(label: Any) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def _texts(frame: Frame, missing: MissingValues) -> Iterable[tuple[str, Iterable[Any]]]:
    """Columns of texts with their different texts; not those that have a type of categories."""
    for name, values in frame.columns.items():
        if values.is_text:
            yield name, values.labels or ()
    if frame.arrow is None:
        return
    module = type(frame.source).__module__.split(".")[0]
    if module == "polars":
        for name, dtype in frame.source.schema.items():
            if str(dtype) in ("String", "Utf8") and _spells_numbers(frame.source[name].head(_FIRST_ROWS).to_list(), missing):
                yield name, frame.source[name].unique().to_list()
    elif module == "pyarrow" and hasattr(frame.source, "column"):
        for place, field in enumerate(frame.source.schema):
            if is_arrow_text(field.type):
                column = frame.source.column(place)
                if _spells_numbers(column.slice(0, _FIRST_ROWS).to_pylist(), missing):
                    yield field.name, column.unique().to_pylist()


def _spells_numbers(texts: Iterable[Any], missing: MissingValues) -> bool:
    """Whether all texts are numbers or stand for a missing value, and one at least is a number."""
    found = False
    for text in texts:
        if text is None or text != text:
            continue
        told = _text(text)
        if told in missing or is_missing(told, among_numbers=True):
            continue
        if not is_number(told):
            return False
        found = True
    return found
