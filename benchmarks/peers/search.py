"""Peers of the search, driven by PairedRun over standard input and output.

A request and its answer are a line of JSON. Every search is timed here, so that the pipe costs
neither side anything, and begins after the request was read: nobody works while the other is timed.
"""

import json
import sys
import time

import numpy as np


def product(queries, items, block=256, tile=8192):
    """The products alone, tile by tile into one buffer that stays in the cache."""
    out = np.empty((min(block, len(queries)), tile), dtype=np.float32)
    for first in range(0, len(queries), block):
        rows = queries[first : first + block]
        for start in range(0, len(items), tile):
            columns = items[start : start + tile].T
            np.matmul(rows, columns, out=out[: len(rows), : columns.shape[1]])


class Flat:
    """FAISS's exact index."""

    def __init__(self, items, threads, **_):
        import faiss

        faiss.omp_set_num_threads(threads)
        self.version = "faiss " + faiss.__version__
        self.index = faiss.IndexFlatIP(items.shape[1])
        self.index.add(items)

    def search(self, queries, k):
        return self.index.search(queries, k)[1]


class Product:
    """The limit of every exact search."""

    def __init__(self, items, **_):
        self.version = "numpy " + np.__version__
        self.items = items

    def search(self, queries, k):
        product(queries, self.items)
        return None


class Hnsw:
    """hnswlib's graph of distances over items that have one more coordinate, which gives all the
    same length: there the nearest item is the one with the greatest product.

    Its graph of products, and lengths that only 99 % of the items have, do not reach a recall of
    .95 on our vectors at any width.
    """

    def __init__(self, items, threads, m, construction, seed, **_):
        import hnswlib

        self.version = "hnswlib"
        items = items - items.mean(axis=0)
        squares = (items * items).sum(axis=1)
        lifts = np.sqrt(np.maximum(0, squares.max() - squares))
        items = np.concatenate([items, lifts[:, None]], axis=1).astype(np.float32)
        self.index = hnswlib.Index(space="l2", dim=items.shape[1])
        self.index.init_index(
            max_elements=len(items), M=m, ef_construction=construction, random_seed=seed
        )
        self.index.set_num_threads(threads)
        self.index.add_items(items)

    def prepare(self, queries):
        return np.concatenate([queries, np.zeros((len(queries), 1), np.float32)], axis=1)

    def search(self, queries, k, width):
        self.index.set_ef(width)
        return self.index.knn_query(queries, k=k)[0]


KINDS = {"flat": Flat, "product": Product, "hnsw": Hnsw, "hnsw_dense": Hnsw}


def blas():
    """Which BLAS library this process has loaded: the reference one would be no peer."""
    with open("/proc/self/maps") as maps:
        names = {line.split("/")[-1].strip() for line in maps if "blas" in line}
    return sorted(names)


def main():
    open_peers = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "open":
                items = np.fromfile(request["items"], dtype="<f4")
                items = items.reshape(-1, request["dimension"])
                start = time.perf_counter()
                peer = KINDS[request["kind"]](items, **request["options"])
                answer["seconds"] = time.perf_counter() - start
                answer["version"] = "%s with %s" % (peer.version, ", ".join(blas()))
                open_peers[request["kind"]] = peer
            else:
                queries = np.fromfile(request["queries"], dtype="<f4")
                queries = queries.reshape(-1, request["dimension"])
                batch = request["batch"]
                peer = open_peers[request["kind"]]
                if hasattr(peer, "prepare"):
                    queries = peer.prepare(queries)
                found = []
                seconds = 0.0
                for first in range(0, len(queries), batch):
                    rows = np.ascontiguousarray(queries[first : first + batch])
                    start = time.perf_counter()
                    found.append(peer.search(rows, request["k"], **request["options"]))
                    seconds += time.perf_counter() - start
                answer["seconds"] = seconds
                if request.get("found"):
                    np.concatenate(found).astype("<i4").tofile(request["found"])
        except ImportError as missing:
            answer = {"absent": str(missing)}
        except Exception as failure:
            answer = {"failure": repr(failure)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
