"""The one network here that really learned something: 8x8 handwritten digits (the test set shipped with scikit-learn,
from the UCI "Optical Recognition of Handwritten Digits" data), used by scripts/demo."""
import os

import numpy
import torch
from torch import Tensor, nn

from corpus import base
from corpus.base import case


class Digits(nn.Module):
    """Grey pixels 0..16, shape [n, 8, 8] or [8, 8], to the probabilities of the ten digits, shape [n, 10]."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(32, 48, 3, padding=1, bias=False), nn.BatchNorm2d(48), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(48 * 4, 10))

    def logits(self, x: Tensor) -> Tensor:
        return self.head(self.features(x.unsqueeze(1) / 16.0).flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 2:
            x = x.unsqueeze(0)
        if x.dim() != 3 or x.size(1) != 8 or x.size(2) != 8:
            raise ValueError("expected digits of shape [8, 8] or [n, 8, 8]")
        return torch.softmax(self.logits(x.to(torch.float32)), dim=1)

    @torch.jit.export
    def classify(self, x: Tensor) -> Tensor:
        return self.forward(x).argmax(1)


def data():
    from sklearn.datasets import load_digits
    d = load_digits()
    order = numpy.random.RandomState(0).permutation(len(d.target))
    x = torch.from_numpy(d.images[order].astype("float32"))
    y = torch.from_numpy(d.target[order].astype("int64"))
    return x[:1347], y[:1347], x[1347:], y[1347:]


def shifted(x, dx, dy):
    return torch.roll(nn.functional.pad(x, [1, 1, 1, 1]), [dy, dx], [1, 2])[:, 1:-1, 1:-1]


def train():
    torch.manual_seed(5)
    xs, ys, xt, yt = data()
    net = Digits()
    epochs, batch = 30, 64
    opt = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
    plan = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=epochs * ((len(xs) + batch - 1) // batch))
    with torch.enable_grad():
        for _ in range(epochs):
            for rows in torch.randperm(len(xs)).split(batch):
                dx, dy = (int(v) for v in torch.randint(-1, 2, [2]))
                loss = nn.functional.cross_entropy(net.logits(shifted(xs[rows], dx, dy)), ys[rows], label_smoothing=0.05)
                opt.zero_grad()
                loss.backward()
                opt.step()
                plan.step()
    net.eval()
    right = float((net.classify(xt) == yt).float().mean())
    print("digits: %.2f %% of %d unseen digits right" % (100 * right, len(yt)))
    assert right >= 0.97
    return net


def extra_files(folder):
    """What scripts/demo shows: one digit, a batch of them and what they are."""
    _, _, xt, yt = data()
    numpy.save(os.path.join(folder, "digit.npy"), xt[3].numpy())
    numpy.save(os.path.join(folder, "batch.npy"), xt.numpy())
    numpy.save(os.path.join(folder, "batch_labels.npy"), yt.numpy())
    with open(os.path.join(folder, "labels.txt"), "w") as f:
        f.write("digit.npy %d\nbatch.npy %s\n" % (int(yt[3]), " ".join(str(int(v)) for v in yt)))


case(data()[2][:4].clone(), name="digits", family="demo", make=True, calibrated=True, after=extra_files)(train)
