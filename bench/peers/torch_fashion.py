#!/usr/bin/env python3
"""Fashion-MNIST in PyTorch: the networks of docs/training.md, with the same optimiser, batches and labels. Prints seconds and test accuracy after
each epoch.

    torch_fashion.py mlp|conv EPOCHS [THREADS [SEED]]
"""
import gzip
import struct
import sys
import time

import numpy as np
import torch
from torch import nn

FOLDER = "/usr/share/datasets/fashion-mnist"


def idx(name):
    data = gzip.open(f"{FOLDER}/{name}.gz").read()
    shape = struct.unpack(f">{data[3]}I", data[4:4 + 4 * data[3]])
    return torch.tensor(np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape).copy())


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.2),
                         nn.Linear(256, 10)), 0.001


def conv():
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Dropout(0.25), nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Dropout(0.25), nn.Linear(128, 10)), 0.003


def main():
    epochs = int(sys.argv[2])
    torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 2)
    torch.manual_seed(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    start = time.perf_counter()
    x, y = idx("train-images-idx3-ubyte").float()[:, None], idx("train-labels-idx1-ubyte").long()
    test, truth = idx("t10k-images-idx3-ubyte").float()[:, None], idx("t10k-labels-idx1-ubyte").long()
    mean, deviation = x.mean(), x.std()
    x, test = ((x - mean) / deviation)[:54000], (test - mean) / deviation
    net, rate = {"mlp": mlp, "conv": conv}[sys.argv[1]]()
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=200 / 54000, fused=True)
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        net.train()
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            loss(net(x[rows]), y[rows]).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            right = sum((net(part).argmax(1) == of).sum().item() for part, of in zip(test.split(1000), truth.split(1000)))
        print(f"epoch {epoch + 1}: {time.perf_counter() - start:.1f} s, test accuracy {right / 100:.2f} %", flush=True)


main()
