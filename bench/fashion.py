"""Samples a second of the same training in PyTorch: 784-128-10, ReLU, Adam, batch 128, data in memory as float32.

    fashion.py DIRECTORY THREADS EPOCHS
"""
import sys
import time

import numpy as np
import torch

directory, threads, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)


def idx(name, skip):
    with open(f"{directory}/{name}", "rb") as f:
        return np.frombuffer(f.read()[skip:], dtype=np.uint8)


x = idx("train-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32)
x = torch.tensor((x - x.mean()) / x.std())
y = torch.tensor(idx("train-labels-idx1-ubyte", 8).astype(np.int64))
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
try:
    step = torch.optim.Adam(net.parameters(), lr=1e-3, foreach=True)
except TypeError:
    step = torch.optim.Adam(net.parameters(), lr=1e-3)
loss_of = torch.nn.CrossEntropyLoss()
for epoch in range(epochs):
    start, total = time.perf_counter(), 0.0
    for rows in torch.randperm(len(x)).split(128):
        step.zero_grad(set_to_none=True)
        loss = loss_of(net(x[rows]), y[rows])
        loss.backward()
        step.step()
        total += float(loss.detach()) * len(rows)
    took = time.perf_counter() - start
    print(f"torch epoch {epoch + 1}: loss {total / len(x):.4f}, {len(x) / took:.0f} samples/s", flush=True)
