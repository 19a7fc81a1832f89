"""Fits over the tasks of Spark: each holds a partition, and all fit together.

A fit is one barrier stage: a task for each partition, all at the same time. The numbers go over the network by XGBoost's
communicator (the package `xgboost` or `xgboost-cpu`), whose tracker is in the task of partition 0, so that Spark may run the whole
stage again where a task is lost. Rows come and go as Arrow batches. Executors need `libmetalearners`, `pyarrow` and XGBoost.
"""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import time
from typing import Any, Iterable, Iterator, NamedTuple, Optional, Sequence, Union

from . import MetaLearner
from ._communicator import Roles, Tracker, cause, columns_to_predict, fit_part
from ._columns import label_text
from ._warnings import tell
from .errors import InputOutputError, InvalidArgumentError, InvalidDataError, MetaLearnersError, UnsupportedError

__all__ = ["fit", "predict"]

#: What a task answers with, of how many: a piece of the learner, of an error or of the effects.
_ANSWER = "rank int, size int, kind string, place int, data binary"
#: How often a stage is tried again of which Spark has run a part alone.
_TRIES = 3
#: Bytes of a piece, and rows of a piece of effects.
_PIECE, _ROWS = 8 << 20, 1 << 16


class _Work(NamedTuple):
    """What every task is told."""

    learner: MetaLearner
    roles: Roles
    columns: list[str]
    keep: list[str]
    effects: bool
    timeout: int


def fit(
    frame: Any,
    learner: MetaLearner,
    *,
    y: str,
    w: str,
    sample_weight: Optional[str] = None,
    cluster: Optional[str] = None,
    propensity: Union[str, Sequence[str], None] = None,
    effects: bool = False,
    keep: Sequence[str] = (),
    timeout: int = 300,
) -> Any:
    """Fits a learner to a frame of Spark, whose partitions stay in their tasks.

    All partitions take part at the same time, as one barrier stage: there may be no more of them than tasks that can run at once
    (``frame.coalesce(...)``). A task uses as many threads as it has cores (``spark.task.cpus``), unless the learner says
    otherwise.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        All columns. Rows count in the order of partitions.
    learner : MetaLearner
        What to fit; it is left as it is.
    y, w : str
        The columns of the outcome and of the arms.
    sample_weight : str, optional
        The column of weights.
    cluster : str, optional
        The column of clusters, whose rows may be in several partitions: whole ones are held out, and standard errors allow for them.
    propensity : str or list of str, optional
        The column of known propensities of the treated arm, or those of every arm with the control first. ``predict`` finds them in
        its frame.
    effects : bool
        Whether to return the out-of-fold effects of the training rows as well: a frame with the same rows in the same partitions
        and in the same order.
    keep : sequence of str
        Columns that are no covariates, such as the number of a customer; they stand beside the effects.
    timeout : int
        Seconds for the tasks to find each other, and for each exchange between them.

    Returns
    -------
    The fitted learner, that of one process that has all rows; with `effects` also the frame of effects: the columns of `keep`, then
    those of ``predict``. The warnings of the fit are issued here, and not in the tasks.

    Raises
    ------
    MetaLearnersError
        What is wrong in a task, as that task has it; ``InputOutputError`` where Spark has given the stage up.
    """
    session = _session(frame)
    roles: Roles = {"y": y, "w": w, "sample_weight": sample_weight, "cluster": cluster, "propensity": propensity}
    named = [(role, column) for role, given in roles.items() for column in ([given] if isinstance(given, str) else given or [])]
    for role, column in [*named, *(("keep", column) for column in keep)]:
        if column not in frame.columns:
            raise InvalidDataError(f"there is no column '{column}' in the frame", role, "name one of its columns")
    for column in keep:
        if column in [taken for _, taken in named]:
            raise InvalidArgumentError(f"'{column}' is a column of the fit already", "keep", "leave it out")
    columns = [column for column in frame.columns if column not in keep]
    work = _Work(learner, roles, columns, list(keep), effects, timeout)
    for _ in range(_TRIES):
        made, partitions = _answers(session, frame, work)
        try:
            rows = made.filter(lambda row: row[2] != "effects").collect()
        except Exception as error:
            raise _given_up(error) from error
        if {(row[0], row[1]) for row in rows} == {(rank, partitions) for rank in range(partitions)}:
            break
    else:
        raise InputOutputError(
            "Spark ran a part of the stage again where a task was lost, and not all of it", "frame", "see what became of it, and fit again"
        )
    found: MetaLearner = _answer(rows)
    tell(found.warnings)
    if not effects:
        return found
    return found, _effects(session, frame, made, partitions, found, work)


def predict(
    frame: Any, learner: MetaLearner, *, arm: Any = None, baseline: Any = None, scale: Optional[str] = None, column: str = "cate"
) -> Any:
    """The effects of the rows of a frame of Spark, partition by partition.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        The columns that the learner was fitted to, and any others.
    learner : MetaLearner
        The fitted learner, which each executor is sent once.
    arm, baseline, scale : optional
        As those of ``MetaLearner.predict``.
    column : str
        The name of the column of effects.

    Returns
    -------
    The frame with a column `column` of effects; of several arms one ``column_ARM`` for each arm, and of an outcome with classes one
    ``column_CLASS`` or ``column_ARM_CLASS``.
    """
    session = _session(frame)
    features = [str(name) for name in learner.feature_names_in_]
    missing = [name for name in features if name not in frame.columns]
    if missing:
        raise InvalidDataError(
            "has no column " + ", ".join(f"'{name}'" for name in missing), "frame", "pass every column that the learner was fitted to"
        )
    names = _effect_names(learner, column, arm, baseline)
    schema = _schema(frame, frame.columns, names)
    features = [str(name) for name in columns_to_predict(learner, frame.columns)]
    shared = session.sparkContext.broadcast(learner)

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        own = shared.value
        with _threads(own):
            for batch in batches:
                rows = pa.Table.from_batches([batch]).select(features)
                made = own.predict(rows, arm=arm, baseline=baseline, scale=scale, numpy3d=True)
                yield _with_columns(batch, batch.schema.names, names, made)

    return frame.mapInArrow(work, schema)


# --------------------------------------------------------------------------------------------------- In the tasks


def _fit_partition(batches: Iterable[Any], work: _Work) -> Iterator[Any]:
    """The task of a partition: it answers with what came out.

    Where a task is lost, the others raise what the network told them, so that Spark runs all of them again. Everything else that
    goes wrong would go wrong again, and is an answer.
    """
    import pyarrow as pa
    from pyspark import BarrierTaskContext

    context = BarrierTaskContext.get()
    rank, size = context.partitionId(), len(context.getTaskInfos())
    own = list(batches)
    # Where one task ends while Spark takes the stage back because of another, Spark runs a part of the stage again, in which numbers
    # may be too large; the driver sees by `size` that it was not the whole.
    answers = [("part", b"")] if rank >= size else _fit_with_others(own, work, context, rank, size)
    for place, (kind, data) in enumerate(answers):
        numbers = [pa.array([number], pa.int32()) for number in (rank, size, place)]
        yield pa.RecordBatch.from_arrays(
            [*numbers[:2], pa.array([kind]), numbers[2], pa.array([data], pa.binary())],
            names=["rank", "size", "kind", "place", "data"],
        )


def _fit_with_others(own: list[Any], work: _Work, context: Any, rank: int, size: int) -> list[tuple[str, bytes]]:
    # Nobody waits for a task that cannot take part: each says so before they join.
    note: dict[str, Any] = {}
    failed: Optional[BaseException] = None
    tracker: Optional[Tracker] = None
    try:
        try:
            from xgboost.core import XGBoostError

            if own:
                note["schema"] = base64.b64encode(own[0].schema.serialize()).decode()
            if rank == 0:
                host = context.getTaskInfos()[0].address.rsplit(":", 1)[0].strip("[]")
                tracker = Tracker(host, size, work.timeout)
                note["arguments"] = tracker.arguments
        except Exception as error:
            failed = error
            note["failed"] = True
        notes = [json.loads(text) for text in context.allGather(json.dumps(note))]
        if any("failed" in note for note in notes):
            return [("done", b"") if failed is None else ("error", _pickled(failed))]
        try:
            answers = _fit_rows(_table(own, notes), work, rank, size, notes[0]["arguments"])
        except XGBoostError:
            raise
        except Exception as error:
            return [("error", _pickled(error))]
        if tracker is not None:
            tracker.wait()
        return answers
    finally:
        if tracker is not None:
            tracker.end()


def _table(own: list[Any], notes: list[dict[str, Any]]) -> Any:
    """The rows of this task; without any, the columns of another's."""
    import pyarrow as pa

    if own:
        return pa.Table.from_batches(own)
    schemas = [note["schema"] for note in notes if "schema" in note]
    if not schemas:
        raise InvalidDataError("there are no rows", "frame", "pass a frame with rows")
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(schemas[0]))).empty_table()


def _fit_rows(table: Any, work: _Work, rank: int, size: int, arguments: dict[str, Any]) -> list[tuple[str, bytes]]:
    from pyspark import cloudpickle

    with _threads(work.learner):
        made, found = fit_part(work.learner, table.select(work.columns), work.roles, work.effects, rank, size, arguments)
    answers = [("done", b"")]
    if found is not None:
        values = found.reshape(len(found), -1)
        names = _effect_names(made, "cate")
        for start in range(0, len(values), _ROWS):
            piece = _with_columns(table.slice(start, _ROWS), work.keep, names, values[start : start + _ROWS])
            answers.append(("effects", _written(piece)))
    if rank == 0:
        data = cloudpickle.dumps(made)  # Which takes classes of notebooks, too.
        answers += [("learner", data[start : start + _PIECE]) for start in range(0, len(data), _PIECE)]
    return answers


@contextlib.contextmanager
def _threads(learner: MetaLearner) -> Iterator[None]:
    """As many threads as the task has cores, where the learner does not say how many."""
    from pyspark import TaskContext

    given = learner.get_params(deep=False)["threads"]
    context = TaskContext.get()
    if given is None and context is not None:
        learner.set_params(threads=max(1, context.cpus()))
    try:
        yield
    finally:
        learner.set_params(threads=given)


def _with_columns(rows: Any, kept: Sequence[str], names: Sequence[str], values: Any) -> Any:
    """Columns of a batch or a table, and numbers beside them."""
    import pyarrow as pa

    numbers = values.reshape(len(values), -1)
    columns = [rows.column(rows.schema.names.index(name)) for name in kept]
    added = [pa.array(numbers[:, place]) for place in range(len(names))]
    made = pa.RecordBatch if isinstance(rows, pa.RecordBatch) else pa.Table
    return made.from_arrays([*columns, *added], names=[*kept, *names])


def _written(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _pickled(error: BaseException) -> bytes:
    try:
        data = pickle.dumps(error)
        pickle.loads(data)
        return data
    except Exception:
        return pickle.dumps(MetaLearnersError(f"{type(error).__name__}: {error}"))


# -------------------------------------------------------------------------------------------------- On the driver


def _session(frame: Any) -> Any:
    if type(frame).__module__.startswith("pyspark.sql.connect"):
        raise UnsupportedError("frames of Spark Connect cannot be used yet", "frame", "make it in a classic session")
    return frame.sparkSession


def _require_slots(session: Any, partitions: int, timeout: int) -> None:
    """Waits a little for executors; Spark itself would wait for ten minutes."""
    end = time.monotonic() + min(timeout, 60)
    while True:
        try:
            context = session.sparkContext._jsc.sc()
            slots = int(context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile()))
        except Exception:  # Versions differ in what they tell; Spark will say it in its way.
            return
        if partitions <= slots:
            return
        if time.monotonic() > end:
            raise InvalidDataError(
                f"has {partitions} partitions, and Spark runs {slots} tasks at once", "frame",
                f"all partitions take part at the same time: pass frame.coalesce({max(1, slots)}), or get more executors",
            )  # fmt: skip
        time.sleep(0.5)


def _given_up(error: Exception) -> Exception:
    """What Spark says of a stage that it has given up, without the traces of the JVM."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return error
    text = " ".join(str(java.getMessage()).split("\n\tat ")[0].split())
    return InputOutputError(
        f"Spark has given the fit up: {text[:2000]}", "frame", "see what became of the executors, and fit again"
    )


def _answers(session: Any, frame: Any, work: _Work) -> tuple[Any, int]:
    """What all tasks answer with, each in a partition of its own, and how many there are; nothing is run yet."""
    made = frame.mapInArrow(lambda batches: _fit_partition(batches, work), _ANSWER, barrier=True).rdd
    partitions = int(made.getNumPartitions())
    if not partitions:
        raise InvalidDataError("there are no partitions", "frame", "pass a frame with rows")
    _require_slots(session, partitions, work.timeout)
    # Behind a shuffle, in which every partition stays what it is: Spark runs a barrier stage again only where it is not the last
    # one, and effects can be read in parts, which a barrier stage cannot.
    return made.map(lambda row: (row[0], tuple(row))).partitionBy(partitions, lambda rank: rank).values(), partitions


def _answer(rows: list[tuple[int, int, str, int, bytes]]) -> Any:
    """The learner that the tasks have made, or the error that one of them met with."""
    rows = sorted(rows, key=lambda row: (row[0], row[3]))
    told = cause([pickle.loads(bytes(row[4])) for row in rows if row[2] == "error"])
    if told is not None:
        raise told
    return pickle.loads(b"".join(bytes(row[4]) for row in rows if row[2] == "learner"))


def _effects(session: Any, frame: Any, made: Any, partitions: int, learner: MetaLearner, work: _Work) -> Any:
    pieces = made.map(lambda row: (row[1], row[2], row[3], row[4]))

    def read(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        rows = [row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns))]
        # Spark makes again what was lost with an executor, and by then it may have lost its way.
        if any(size != partitions for size, _, _, _ in rows):
            raise InputOutputError("Spark has lost effects, and made a part of them again", "frame", "fit again")
        for _, data in sorted((place, data) for _, kind, place, data in rows if kind == "effects"):
            yield from pa.ipc.open_stream(data).read_all().to_batches()

    return session.createDataFrame(pieces, "size int, kind string, place int, data binary").mapInArrow(
        read, _schema(frame, work.keep, _effect_names(learner, "cate"))
    )


def _schema(frame: Any, kept: Sequence[str], names: Sequence[str]) -> Any:
    from pyspark.sql.types import DoubleType, StructField, StructType

    for name in names:
        if name in kept:
            raise InvalidArgumentError(f"the frame has a column '{name}' already", "column", "rename it")
    return StructType([*(frame.schema[name] for name in kept), *(StructField(name, DoubleType()) for name in names)])


def _effect_names(learner: MetaLearner, column: str, arm: Any = None, baseline: Any = None) -> list[str]:
    """What the command line calls the columns of effects."""
    arms = [label_text(label) for label in learner.arms_]
    compared = arms[0] if baseline is None else label_text(baseline)
    shown = [label for label in arms if label != compared]
    stems = [column] if arm is not None or len(arms) == 2 else [f"{column}_{label}" for label in shown]
    classes = learner._fitted.classes
    return [f"{stem}_{label}" for stem in stems for label in classes] if classes else stems
