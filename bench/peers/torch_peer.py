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


class Train:
    network = protocol.Network

    def __init__(self, request):
        self.net, self.mode = self.network(request), request.get("mode", "eager")
        self.x = [torch.from_numpy(self.net.x[s]) for s in self.net.batches()]
        self.labels = [torch.from_numpy(self.net.labels[s]) for s in self.net.batches()]
        self.prepare(request)
        self.model = self.build()
        self.first = [p.detach().clone() for p in self.model.parameters()]
        kinds = torch.optim.Adam if self.net.adam else torch.optim.SGD
        self.make(kinds(self.model.parameters(), lr=self.net.lr, fused=True), F.cross_entropy)

    def make(self, optimizer, loss):
        self.optimizer = optimizer
        self.loss_of = compiled(self.mode, lambda x, y: loss(self.model(x), y))
        self.restart()
        self.run(3)

    def prepare(self, request):
        pass

    def build(self):
        return dense(self.net.params)

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
        return torch.cat([p.detach().reshape(-1) for p in self.model.parameters()]).numpy()

    def check(self, path):
        self.restart()
        total = float(self.step().detach())
        self.weights().tofile(path)
        for _ in range(len(self.x) - 1):
            total += float(self.step().detach())
        return {"loss": total / len(self.x)}


class Infer:
    network = protocol.Network

    def __init__(self, request):
        self.net = self.network(request)
        self.x = [torch.from_numpy(self.net.x[s]) for s in self.net.batches()]
        self.prepare(request)
        self.model = self.build().eval()
        self.ask = compiled(request.get("mode", "eager"), self.model)
        self.next = itertools.cycle(self.x)
        self.run(3)

    def prepare(self, request):
        pass

    def build(self):
        return dense(self.net.params)

    def run(self, n):
        with torch.inference_mode():
            for _ in range(n):
                self.ask(next(self.next))

    def check(self, path):
        with torch.inference_mode():
            self.ask(self.x[0]).numpy().tofile(path)


class ConvNet(torch.nn.Module):
    """The network of bench/ours/convnet.c, in PyTorch's own order of axes: images and filters have their channels first."""

    def __init__(self, params):
        super().__init__()
        nn, channels = torch.nn, 64
        self.body = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, channels, 3), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10))
        with torch.no_grad():
            for p, first in zip(self.body.parameters(), params):
                p.copy_(self.turned(torch.from_numpy(first), True))

    @staticmethod
    def turned(p, first):
        """A parameter from the order of the files, channels last (`first`: to channels first), and back."""
        if p.ndim == 4:
            return p.permute(0, 3, 1, 2) if first else p.permute(0, 2, 3, 1)
        if p.ndim == 2 and p.shape[1] == 1600:
            p = p.reshape(128, 5, 5, 64).permute(0, 3, 1, 2) if first else p.reshape(128, 64, 5, 5).permute(0, 2, 3, 1)
            return p.reshape(128, 1600)
        return p

    def forward(self, x):
        return self.body(x)


class Images:
    """layout=last: images, and what is made of them, have their channels last in memory."""

    network = protocol.ConvNetwork

    def prepare(self, request):
        self.format = torch.channels_last if request.get("layout") == "last" else torch.contiguous_format
        self.x = [x.permute(0, 3, 1, 2).contiguous(memory_format=self.format) for x in self.x]

    def build(self):
        return ConvNet(self.net.params).to(memory_format=self.format)

    def weights(self):
        return torch.cat([ConvNet.turned(p.detach(), False).reshape(-1) for p in self.model.parameters()]).numpy()


class ConvTrain(Images, Train):
    pass


class ConvInfer(Images, Infer):
    pass


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
        self.model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1), torch.nn.Sigmoid())
        self.first = [part.reshape(p.shape) for part, p in zip(flat.split([16, 8, 8, 1]), self.model.parameters())]
        self.make(torch.optim.SGD(self.model.parameters(), lr=0.5), F.mse_loss)

    def check(self, path):
        self.restart()
        total = sum(float(self.step().detach()) for _ in self.x)
        self.weights().tofile(path)
        return {"loss": total / 4}


if __name__ == "__main__":
    note = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
    protocol.serve(note, {"train": Train, "infer": Infer, "chain": Chain, "tiny": Tiny, "convtrain": ConvTrain, "convinfer": ConvInfer})
