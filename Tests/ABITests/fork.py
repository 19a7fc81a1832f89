"""Python's `multiprocessing` with `fork`, over the public header by ctypes: children fit and predict like their parent.

usage: fork.py LIBRARY
"""

import ctypes
import multiprocessing
import os
import random
import sys
import threading

library = ctypes.CDLL(sys.argv[1])
ROWS = 400
SPECS = [
    b'{"data": {"treatment": "w", "outcome": "y"}, "learner": "dr", "cross_fitting": {"folds": 2}, "models": {"outcome":'
    b' {"backend": "trees", "trees": 8}, "propensity": {"backend": "logistic"}, "effect": {"backend": "ridge"}}}',
    b'{"data": {"treatment": "w", "outcome": "y"}, "learner": "t", "cross_fitting": {"folds": 2}, "models": {"outcome":'
    b' {"backend": "forest", "trees": 8}, "propensity": {"backend": "logistic"}}}',
]
FLOAT64, INT8 = 1, 6


class Column(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("stride", ctypes.c_int64), ("levels", ctypes.c_void_p),
        ("level_count", ctypes.c_int64), ("dtype", ctypes.c_int32), ("reserved", ctypes.c_int32)]


class Table(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t), ("rows", ctypes.c_int64), ("columns", ctypes.POINTER(Column)),
        ("column_count", ctypes.c_int64), ("matrix", ctypes.c_void_p), ("matrix_names", ctypes.c_void_p),
        ("sparse", ctypes.c_void_p), ("sparse_names", ctypes.c_void_p), ("validity", ctypes.c_void_p), ("arrow", ctypes.c_void_p)]


class Execution(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t), ("threads", ctypes.c_int32), ("reserved", ctypes.c_int32),
        ("progress", ctypes.c_void_p), ("payload", ctypes.c_void_p), ("cancel_token", ctypes.c_void_p),
        ("registry", ctypes.c_void_p), ("memory_limit", ctypes.c_int64), ("poll", ctypes.c_void_p),
        ("collective", ctypes.c_void_p)]


def numbers():
    draw = random.Random(7)
    x = [draw.random() - 0.5 for _ in range(ROWS)]
    w = [int(draw.random() < 0.5) for _ in range(ROWS)]
    y = [a + b * (1 + a) + 0.1 * draw.random() for a, b in zip(x, w)]
    return (ctypes.c_double * ROWS)(*x), (ctypes.c_int8 * ROWS)(*w), (ctypes.c_double * ROWS)(*y)


x, w, y = numbers()
columns = (Column * 3)(
    Column(b"x", ctypes.addressof(x), 0, None, 0, FLOAT64, 0), Column(b"w", ctypes.addressof(w), 0, None, 0, INT8, 0),
    Column(b"y", ctypes.addressof(y), 0, None, 0, FLOAT64, 0))
table = Table(ctypes.sizeof(Table), ROWS, columns, 3)
execution = Execution(ctypes.sizeof(Execution), 2)
dataset = ctypes.c_void_p()


def check(status, action):
    if status != 0:
        raise RuntimeError(f"{action}: status {status}")


def effects(number):
    """The effects of a fit on two threads, to the dataset that the parent made."""
    model = ctypes.c_void_p()
    check(library.mtlr_model_fit(ctypes.byref(model), dataset, SPECS[number % len(SPECS)], ctypes.byref(execution), None), "fit")
    values = (ctypes.c_double * ROWS)()
    check(
        library.mtlr_model_predict(
            ctypes.byref(values), ctypes.c_int64(ROWS), None, model, ctypes.byref(table), None, ctypes.byref(execution), None),
        "predict")
    library.mtlr_model_free(model)
    return bytes(values)


def main():
    check(library.mtlr_dataset_create(ctypes.byref(dataset), ctypes.byref(table), SPECS[0], ctypes.c_uint32(0), None), "dataset")
    expected = [effects(number) for number in range(len(SPECS))]
    context = multiprocessing.get_context("fork")
    failed = 0
    # A pool keeps its children; a process each begins anew. Both after fits, and while another thread fits.
    is_over = threading.Event()

    def fit_all_the_time():
        while not is_over.is_set():
            effects(0)

    for during in (False, True):
        thread = threading.Thread(target=fit_all_the_time)
        if during:
            thread.start()
        with context.Pool(2, maxtasksperchild=1) as pool:
            results = pool.map_async(effects, range(40), chunksize=1)
            try:
                for number, result in enumerate(results.get(timeout=300)):
                    failed += result != expected[number % len(SPECS)]
            except multiprocessing.TimeoutError:
                print("children hang or died")
                failed += 1
        is_over.set()
        if during:
            thread.join()
    for number in range(60):
        child = os.fork()
        if child == 0:
            os._exit(0 if effects(number) == expected[number % len(SPECS)] else 1)
        failed += os.waitpid(child, 0)[1] != 0
    print(f"fork.py: {failed} failures")
    sys.exit(1 if failed else 0)


main()
