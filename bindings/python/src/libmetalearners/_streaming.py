"""Rows that do not fit into memory: Parquet files and data sets of pyarrow, read batch by batch.

pyarrow is imported only where the data come from it, or are Parquet files.
"""

from __future__ import annotations

import ctypes as c
import os
from typing import Any, Iterator, Optional, Sequence

import numpy as np

from . import _library as native
from ._arguments import dumps
from ._columns import label_of, label_text
from ._data import Frame, frame
from ._files import aside
from ._library import Handle, lib
from ._model import FloatArray, Model, request
from ._roles import ROLES, add_left_out, chosen
from ._running import Progress, make
from .errors import InvalidArgumentError, InvalidDataError, UnsupportedError

#: About so many rows are read at a time.
BATCH_ROWS = 65_536


class Batches:
    """Rows that can be read batch by batch, from the beginning as often as needed."""

    def __init__(self, data: Any) -> None:
        self._data = data
        schema = getattr(data, "schema_arrow", None)
        self.schema = data.schema if schema is None else schema
        #: The columns, in order.
        self.names: list[str] = [str(name) for name in self.schema.names]
        repeated = [name for name in self.names if self.names.count(name) > 1]
        if repeated:
            raise InvalidDataError("several columns have this name", f"column '{repeated[0]}'", "rename all but one of them")

    def read(self, columns: Optional[Sequence[str]] = None) -> Iterator[Any]:
        """Record batches, of the named columns alone."""
        asked = None if columns is None else list(columns)
        if hasattr(self._data, "iter_batches"):
            yield from self._data.iter_batches(batch_size=BATCH_ROWS, columns=asked)
        else:
            yield from self._data.to_batches(batch_size=BATCH_ROWS, columns=asked)


def batches(data: Any) -> Optional[Batches]:
    """The data as rows to be read batch by batch; None where they are in memory."""
    if isinstance(data, Batches):
        return data
    module = type(data).__module__
    if module.startswith("pyarrow") and (hasattr(data, "iter_batches") or (hasattr(data, "to_batches") and hasattr(data, "scanner"))):
        return Batches(data)
    paths = [data] if isinstance(data, (str, os.PathLike)) else data
    if not isinstance(paths, (list, tuple)) or not paths or not all(isinstance(path, (str, os.PathLike)) for path in paths):
        return None
    names = [os.fspath(path) for path in paths]
    if not all(str(name).endswith(".parquet") or os.path.isdir(name) for name in names):
        return None
    try:
        import pyarrow.dataset
    except ImportError:
        raise InvalidArgumentError("Parquet files can only be read where pyarrow is there", "X", "install pyarrow") from None
    for name in names:
        if not os.path.exists(name):
            raise InvalidArgumentError("there is no such file", str(name), "pass the path of a Parquet file")
    return Batches(pyarrow.dataset.dataset([str(name) for name in names] if len(names) > 1 else str(names[0]), format="parquet"))


def roles(rows: Batches, y: Any, w: Any, sample_weight: Any, cluster: Any, propensity: Any) -> dict[str, Any]:
    """The section "data" of the spec: what is given must be names of columns."""
    spec: dict[str, Any] = {}
    given = {"outcome": y, "treatment": w, "weight": sample_weight, "cluster": cluster}
    for key, name in given.items():
        if name is not None:
            spec[key] = _column(rows, name, key)
    if propensity is not None:
        spec["propensity"] = [_column(rows, name, "propensity") for name in ([propensity] if isinstance(propensity, str) else propensity)]
    return spec


def _column(rows: Batches, name: Any, role: str) -> str:
    if not isinstance(name, str):
        raise InvalidArgumentError(
            "rows that are read batch by batch have all columns in them", role, "name a column of X, as in fit(X, y='outcome', w='treatment')"
        )
    if name not in rows.names:
        raise InvalidDataError(f"there is no column '{name}' in X", role, "name one of " + ", ".join(rows.names[:12]))
    return name


class _Source:
    """The functions of C that read the rows, and the first exception that one of them has raised."""

    def __init__(self, rows: Batches, max_bins: int, data: dict[str, Any]) -> None:
        self.raised: Optional[BaseException] = None
        self._rows = rows
        self._data = data
        self._iterator: Iterator[Any] = iter(())
        # What the batch that the library has points to.
        self._kept: Any = None
        self.native: Any = native.RowSource(
            restart=native.RESTART(self._restart), next=native.NEXT(self._next), max_bins=max_bins
        )

    def _restart(self, _: Any) -> int:
        try:
            self._kept = None
            self._iterator = self._rows.read()
            return 0
        except BaseException as raised:  # Nothing may leave a callback; the exception is raised again by the call.
            self.raised = self.raised or raised
            return -1

    def _next(self, _: Any, batch: Any) -> int:
        try:
            self._kept = None
            found = next(self._iterator, None)
            if found is None:
                return 0
            table, kept = _chosen(found, self._data).table()
            c.memmove(batch, c.byref(table), c.sizeof(table))
            self._kept = (table, kept)
            return 1
        except BaseException as raised:
            self.raised = self.raised or raised
            return -1


def _frame(batch: Any) -> Frame:
    import pyarrow as pa

    return frame(pa.Table.from_batches([batch]))


def _chosen(batch: Any, data: dict[str, Any]) -> Frame:
    """The columns of a batch that a fit uses: others may be of any kind."""
    import pyarrow as pa

    made = chosen(pa.Table.from_batches([batch]), data, [data.get(role) for role in ROLES])
    add_left_out(made, data)
    return made


def refuse(**given: Any) -> None:
    """Refuses what a fit to rows that are read batch by batch cannot have."""
    for name, value in given.items():
        if value is not None:
            raise UnsupportedError("cannot be given for rows that are read batch by batch yet", name, "leave it out")


def make_dataset(rows: Batches, spec: dict[str, Any], progress: Progress = None, threads: Optional[int] = None) -> Handle:
    """Rows of whose covariates nothing is kept but the bins that trees use."""
    source = _Source(rows, _max_bins(spec), spec["data"])
    try:
        return make(
            lib.mtlr_dataset_create_streamed, lib.mtlr_dataset_free, c.byref(source.native), dumps(spec),
            holding=source, progress=progress, threads=threads,
        )  # fmt: skip
    except Exception:
        if source.raised is not None:
            raise source.raised from None
        raise
    finally:
        # The callbacks hold the source, and it holds them.
        source.native = None


def _max_bins(spec: dict[str, Any]) -> int:
    """How many bins the models of a spec have; where they differ, the fit says what is wrong."""
    resolved = native.resolve_spec(spec)
    for model in resolved.get("models", {}).values():
        if isinstance(model, dict) and "max_bins" in model:
            return int(model["max_bins"])
    return 0


def no_rows(data: Any) -> Any:
    """A table with the columns of rows that are read batch by batch, of which there are none."""
    import pyarrow as pa

    found = batches(data)
    assert found is not None
    return pa.table({field.name: pa.array([], field.type) for field in found.schema})


def labels(rows: Batches, treatment: str, arms: Sequence[str]) -> list[Any]:
    """The arms as the caller has them: numbers where the treatment is one."""
    import pyarrow as pa

    kind = rows.schema.field(treatment).type
    label = bool if pa.types.is_boolean(kind) else int if pa.types.is_integer(kind) else float if pa.types.is_floating(kind) else str
    return [label_of(label, arm) for arm in arms]


class StreamedPredictions:
    """What learners predict of rows that do not fit into memory."""

    feature_names_in_: Any

    @property
    def _fitted(self) -> Model:
        raise NotImplementedError

    def _predict_batch(self, X: Any, **options: Any) -> FloatArray:
        made: FloatArray = getattr(self, "predict")(X, **options)
        return made

    def _predict_all(self, X: Any, propensity: Any, **options: Any) -> FloatArray:
        refuse(propensity=propensity)
        parts = list(self.predict_batches(X, **options))
        return np.concatenate(parts) if parts else self._predict_batch(frame(no_rows(X)), **options)

    def predict_batches(self, X: Any, **options: Any) -> Iterator[FloatArray]:
        """The effects of rows that are read batch by batch, each batch as soon as it was read.

        Parameters
        ----------
        X : path, list of paths, pyarrow.parquet.ParquetFile or pyarrow.dataset.Dataset
            The rows: Parquet files, or whatever pyarrow reads batch by batch, with the columns of training.
        **options
            Those of ``predict``: `arm`, `baseline`, `scale`, `numpy3d`.

        Yields
        ------
        ndarray
            What ``predict`` says of the rows of a batch, in their order.
        """
        rows = batches(X)
        if rows is None:
            raise InvalidArgumentError(
                "cannot be read batch by batch", "X", "pass the path of a Parquet file, a ParquetFile or a Dataset of pyarrow; or use predict(X)"
            )
        names = [str(name) for name in self.feature_names_in_]
        missing = [name for name in names if name not in rows.names]
        if missing:
            raise InvalidDataError(
                "there is no column " + ", ".join(f"'{name}'" for name in missing), "X", "pass every column that the learner was fitted to"
            )
        for batch in rows.read(names):
            if batch.num_rows:
                yield self._predict_batch(_frame(batch), **options)

    def predict_parquet(self, X: Any, path: Any, **options: Any) -> int:
        """Writes the effects of rows that are read batch by batch to a Parquet file, and returns how many rows there were.

        Parameters
        ----------
        X : path, list of paths, pyarrow.parquet.ParquetFile or pyarrow.dataset.Dataset
            The rows, as ``predict_batches`` takes them.
        path : path
            The file to write. It is there whole or not at all.
        **options
            Those of ``predict``: `arm`, `baseline`, `scale`.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        given = {key: None if options.get(key) is None else label_text(options[key]) for key in ("arm", "baseline")}
        asked = request(native.EFFECTS, scale=options.get("scale"), **given)
        names = native.read_json(lib.mtlr_model_prediction_names, self._fitted.handle.pointer, c.byref(asked))
        schema = pa.schema([(name, pa.float64()) for name in names])
        rows = 0
        with aside(path) as unfinished:
            with pq.ParquetWriter(unfinished, schema) as writer:
                for values in self.predict_batches(X, **options):
                    flat = np.ascontiguousarray(values.reshape(len(values), -1).T)
                    writer.write_table(pa.table([pa.array(column) for column in flat], schema=schema))
                    rows += len(values)
        return rows
