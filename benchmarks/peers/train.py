"""PyTorch beside the engine's training, driven by PairedRun over standard input and output.

A request and its answer are a line of JSON. The examples are read before anything is timed;
negatives are drawn while it is, as the engine draws its own.
"""

import json
import sys
import time

import numpy as np


class Embeddings:
    """nn.Embedding, the loss differentiated by autograd, one of PyTorch's optimizers."""

    def __init__(self, torch, sizes, sparse):
        self.torch = torch
        self.users = torch.nn.Embedding(sizes["users"], sizes["dimension"], sparse=sparse)
        self.items = torch.nn.Embedding(sizes["items"], sizes["dimension"], sparse=sparse)
        tables = [self.users.weight, self.items.weight]
        for table in tables:
            torch.nn.init.normal_(table, std=0.1)
        optim = torch.optim
        self.optimizer = optim.SparseAdam(tables, lr=1e-3) if sparse else optim.Adam(tables, lr=1e-3)

    def step(self, users, positives, negatives):
        self.optimizer.zero_grad(set_to_none=True)
        difference = self.items(positives) - self.items(negatives)
        margins = (self.users(users) * difference).sum(1)
        loss = -self.torch.nn.functional.logsigmoid(margins).mean()
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class RowAdagrad:
    """The gradients by hand, and one accumulator a row: what the engine does by default."""

    def __init__(self, torch, sizes, rate=0.1, epsilon=1e-10):
        self.torch = torch
        self.rate, self.epsilon = rate, epsilon
        self.tables = [
            torch.randn(sizes[name], sizes["dimension"]) * 0.1 for name in ("users", "items")
        ]
        self.sums = [torch.zeros(len(table)) for table in self.tables]

    def step(self, users, positives, negatives):
        torch = self.torch
        with torch.no_grad():
            u = self.tables[0][users]
            difference = self.tables[1][positives] - self.tables[1][negatives]
            margins = (u * difference).sum(1)
            slopes = (torch.sigmoid(-margins) / len(users)).unsqueeze(1)
            self.update(0, users, -slopes * difference)
            moved = slopes * u
            self.update(1, torch.cat([positives, negatives]), torch.cat([-moved, moved]))
            return torch.nn.functional.softplus(-margins).mean()

    def update(self, side, rows, gradients):
        torch = self.torch
        distinct, places = torch.unique(rows, return_inverse=True)
        sums = torch.zeros(len(distinct), gradients.shape[1])
        sums.index_add_(0, places, gradients)
        accumulated = self.sums[side][distinct] + (sums * sums).mean(1)
        self.sums[side][distinct] = accumulated
        change = sums / (accumulated.sqrt() + self.epsilon).unsqueeze(1)
        self.tables[side].index_add_(0, distinct, change, alpha=-self.rate)


def opened(torch, kind, sizes):
    torch.manual_seed(1)
    if kind == "row_adagrad":
        return RowAdagrad(torch, sizes)
    return Embeddings(torch, sizes, sparse=kind == "sparse_adam")


def main():
    peers = {}
    data = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            import torch

            if request["do"] == "open":
                sizes = request["options"]
                torch.set_num_threads(sizes["threads"])
                peers[request["kind"]] = opened(torch, request["kind"], sizes)
                for name in ("users", "items"):
                    rows = np.fromfile(request[name], dtype="<i4").astype(np.int64)
                    data[name] = torch.from_numpy(rows).reshape(-1, sizes["batch"])
                data["num_items"] = sizes["items"]
                answer["version"] = "torch " + torch.__version__
            else:
                peer = peers[request["kind"]]
                losses = []
                batches = range(request["first"], request["first"] + request["steps"])
                start = time.perf_counter()
                for at in batches:
                    users = data["users"][at % len(data["users"])]
                    positives = data["items"][at % len(data["items"])]
                    negatives = torch.randint(0, data["num_items"], (len(users),))
                    losses.append(peer.step(users, positives, negatives))
                answer["loss"] = float(torch.stack(losses).mean())
                answer["seconds"] = time.perf_counter() - start
        except ImportError as missing:
            answer = {"absent": str(missing)}
        except Exception as failure:
            answer = {"failure": repr(failure)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
