"""PyTorch as a contestant: TORCH_THREADS=N in the environment says how many threads; mode=eager|compile with each work."""
import itertools
import os

import numpy as np
import torch

import protocol

torch.set_num_threads(int(os.environ.get("TORCH_THREADS", "1")))
F = torch.nn.functional


def compiled(mode, f):
    return f if mode == "eager" else torch.compile(f, dynamic=False, **({"mode": mode} if mode != "compile" else {}))


def dense(params):
    """The network as torch.nn would have it, with the weights given."""
    layers = []
    for i, (W, b) in enumerate(params):
        layer = torch.nn.Linear(W.shape[1], W.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W))
            layer.bias.copy_(torch.from_numpy(b))
        layers += [layer] + ([torch.nn.ReLU()] if i + 1 < len(params) else [])
    return torch.nn.Sequential(*layers)


class Images(torch.nn.Module):
    """Two times convolution of 3 by 3, ReLU and max-pooling of 2 by 2 on images of 28 by 28; a dense layer with ReLU; then the classes. The
    weights that are given count places before channels; PyTorch counts channels first, and keeps images in memory as it likes best
    (channels_last)."""

    def __init__(self, params):
        super().__init__()
        (W1, b1), (W2, b2), (W3, b3), (W4, b4) = params
        self.conv1, self.conv2 = torch.nn.Conv2d(1, len(b1), 3), torch.nn.Conv2d(len(b1), len(b2), 3)
        self.dense1, self.dense2 = torch.nn.Linear(25 * len(b2), len(b3)), torch.nn.Linear(len(b3), len(b4))
        first = [W1.reshape(-1, 3, 3, 1).transpose(0, 3, 1, 2), b1, W2.reshape(len(b2), 3, 3, -1).transpose(0, 3, 1, 2), b2,
                 W3.reshape(len(b3), 25, -1).transpose(0, 2, 1).reshape(len(b3), -1), b3, W4, b4]
        with torch.no_grad():
            for p, value in zip(self.parameters(), first):
                p.copy_(torch.from_numpy(value.copy()))
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        x = x.view(-1, 1, 28, 28).contiguous(memory_format=torch.channels_last)
        for layer in (self.conv1, self.conv2):
            x = F.max_pool2d(torch.relu(layer(x)), 2)
        return self.dense2(torch.relu(self.dense1(x.flatten(1))))

    def as_given(self):
        W1, b1, W2, b2, W3, b3, W4, b4 = (p.detach() for p in self.parameters())
        return [W1.permute(0, 2, 3, 1), b1, W2.permute(0, 2, 3, 1), b2, W3.view(len(b3), -1, 25).transpose(1, 2), b3, W4, b4]


class Train:
    def __init__(self, request):
        self.net, self.mode = protocol.Network(request), request.get("mode", "eager")
        self.dtype = torch.float64 if request.get("real") == "float64" else torch.float32
        self.x = [torch.from_numpy(self.net.x[s]).to(self.dtype) for s in self.net.batches()]
        self.labels = [torch.from_numpy(self.net.labels[s]) for s in self.net.batches()]
        self.model = self.build().to(self.dtype)
        self.first = [p.detach().clone() for p in self.model.parameters()]
        kinds = torch.optim.Adam if self.net.adam else torch.optim.SGD
        self.make(kinds(self.model.parameters(), lr=self.net.lr, fused=True), F.cross_entropy)

    def make(self, optimizer, loss):
        self.optimizer = optimizer
        self.loss_of = compiled(self.mode, lambda x, y: loss(self.model(x), y))
        self.restart()
        self.run(3)

    def build(self):
        return (Images if self.net.images else dense)(self.net.params)

    def restart(self):
        with torch.no_grad():
            for p, first in zip(self.model.parameters(), self.first):
                p.copy_(first)
            for slots in self.optimizer.state.values():
                for value in slots.values():
                    value.zero_()
        self.next = itertools.cycle(zip(self.x, self.labels))

    def step(self):
        x, y = next(self.next)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def run(self, n):
        for _ in range(n):
            self.step()

    def weights(self):
        parts = self.model.as_given() if isinstance(self.model, Images) else self.model.parameters()
        return torch.cat([p.detach().reshape(-1) for p in parts]).numpy()

    def check(self, path):
        self.restart()
        total = float(self.step().detach())
        self.weights().tofile(path)
        for _ in range(len(self.x) - 1):
            total += float(self.step().detach())
        return {"loss": total / len(self.x)}


class Infer:
    def __init__(self, request):
        self.net = protocol.Network(request)
        self.dtype = torch.float64 if request.get("real") == "float64" else torch.float32
        self.x = [torch.from_numpy(self.net.x[s]).to(self.dtype) for s in self.net.batches()]
        self.model = self.build().to(self.dtype).eval()
        self.ask = compiled(request.get("mode", "eager"), self.model)
        self.next = itertools.cycle(self.x)
        self.run(3)

    def build(self):
        return (Images if self.net.images else dense)(self.net.params)

    def run(self, n):
        with torch.inference_mode():
            for _ in range(n):
                self.ask(next(self.next))

    def check(self, path):
        with torch.inference_mode():
            self.ask(self.x[0]).numpy().tofile(path)


def chain(x):
    """The formula of bench/ours/chain.c."""
    t = torch.relu(x * 1.5 + 0.25) * x - 0.5
    return t * t * 0.125 + x


class Chain:
    def __init__(self, request):
        self.x = torch.from_numpy(np.fromfile(request["file"], dtype=np.float32))
        self.gradient = request.count("gradient", 0)
        self.f = compiled(request.get("mode", "eager"), (lambda x: chain(x).sum()) if self.gradient else chain)
        self.x.requires_grad_(bool(self.gradient))
        self.run(3)

    def run(self, n):
        if self.gradient:
            for _ in range(n):
                self.x.grad = None
                self.f(self.x).backward()
        else:
            with torch.inference_mode():
                for _ in range(n):
                    self.y = self.f(self.x)

    def check(self, path):
        self.run(1)
        (self.x.grad if self.gradient else self.y).detach().numpy().tofile(path)


class Tiny(Train):
    """2-8-1 on XOR, one example a step."""

    def __init__(self, request):
        self.mode = request.get("mode", "eager")
        flat = torch.from_numpy(np.fromfile(request["file"], dtype=np.float32))
        self.x = [torch.tensor([[a, b]], dtype=torch.float32) for a in (0, 1) for b in (0, 1)]
        self.labels = [torch.tensor([[a]], dtype=torch.float32) for a in (0, 1, 1, 0)]
        self.model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        self.first = [part.reshape(p.shape) for part, p in zip(flat.split([16, 8, 8, 1]), self.model.parameters())]
        self.make(torch.optim.SGD(self.model.parameters(), lr=0.05), F.mse_loss)

    def check(self, path):
        self.restart()
        total = float(self.step().detach())
        self.weights().tofile(path)
        total += sum(float(self.step().detach()) for _ in self.x[1:])
        return {"loss": total / 4}


if __name__ == "__main__":
    note = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
    protocol.serve(note, {"train": Train, "infer": Infer, "chain": Chain, "tiny": Tiny})
