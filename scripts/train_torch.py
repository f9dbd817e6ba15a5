#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of `make bench-train`: LeNet-5 and ResNet-20, with float weights or with
FleXOR's XOR network in the loop, trained and run on synthetic images.

Every choice that can only help PyTorch is made in its favour: images are float tensors in
memory, slices lie in the weight tensor so that no permutation is needed, the first and last
layer of ResNet-20 stay float, and --tune tries memory formats, bfloat16 and the optimiser's
two implementations. Prints one line of JSON.
"""
import argparse
import json
import os
import statistics
import struct
import time

import torch
import torch.nn.functional as F
from torch import nn

S_TANH = 30.0
N_IN, N_OUT, N_MIN = 19, 32, 13
TUNE_IMAGES = 1000
LENET, RESNET = (28, 28, 1), (32, 32, 3)


class SignTanh(torch.autograd.Function):
    """sign(x), with the gradient of tanh(S x)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x < 0, -1.0, 1.0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return torch.ops.aten.tanh_backward(grad, torch.tanh(x * S_TANH)).mul_(S_TANH)


class XorWeight(nn.Module):
    """Weights from encrypted ones: 19 stored bits a slice of 32, 13 of them XORs of pairs.

    The product of two signs has the gradient of FleXOR's equation 6 by itself."""

    def __init__(self, shape, channels_last):
        super().__init__()
        self.shape, self.channels_last = shape, channels_last
        self.count = torch.Size(shape).numel()
        slices = -(-self.count // N_OUT)
        self.x = nn.Parameter(0.003 * torch.randn(N_IN, slices))
        self.alpha = nn.Parameter(torch.full((shape[0],), (2 / (self.count / shape[0])) ** 0.5))
        pairs = [(i % N_MIN, (i + 1 + i // N_MIN) % N_MIN) for i in range(N_OUT - N_IN)]
        self.register_buffer("a", torch.tensor([p[0] for p in pairs]))
        self.register_buffer("b", torch.tensor([p[1] for p in pairs]))

    def forward(self):
        s = SignTanh.apply(self.x)
        y = torch.cat([s, s.index_select(0, self.a) * s.index_select(0, self.b)])
        y = y.flatten()[: self.count]
        if len(self.shape) == 4 and self.channels_last:
            o, i, kh, kw = self.shape
            w = y.view(o, kh, kw, i) * self.alpha.view(-1, 1, 1, 1)
            return w.permute(0, 3, 1, 2)
        return y.view(self.shape) * self.alpha.view(-1, *[1] * (len(self.shape) - 1))


class Quantise(nn.Module):
    """Unsigned 8-bit activations over a running range; straight-through gradient."""

    def __init__(self):
        super().__init__()
        self.register_buffer("range", torch.zeros(()))
        self.register_buffer("zero", torch.zeros((), dtype=torch.int32))

    def forward(self, x):
        if self.training:
            peak = x.detach().amax().float()
            self.range.copy_(torch.where(self.range > 0, 0.9 * self.range + 0.1 * peak, peak))
        scale = (self.range / 255).clamp_min(1e-8)
        return torch.fake_quantize_per_tensor_affine(x.float(), scale, self.zero, 0, 255)


class Layer(nn.Module):
    """Convolution (or linear layer, kernel 0) and batch norm."""

    def __init__(self, kind, c_in, c_out, kernel, stride=1, pad=0, norm=True, coded=True):
        super().__init__()
        self.stride, self.pad, self.linear = stride, pad, kernel == 0
        shape = (c_out, c_in) if self.linear else (c_out, c_in, kernel, kernel)
        self.coded = coded and kind.mode != "float"
        if self.coded:
            self.weight = XorWeight(shape, kind.channels_last)
        else:
            self.weight = nn.Parameter(torch.empty(shape))
            nn.init.kaiming_normal_(self.weight)
        self.bias = None if norm else nn.Parameter(torch.zeros(c_out))
        self.norm = None
        if norm:
            self.norm = nn.BatchNorm1d(c_out) if self.linear else nn.BatchNorm2d(c_out)

    def forward(self, x):
        w = self.weight() if self.coded else self.weight
        if self.linear:
            x = F.linear(x, w, self.bias)
        else:
            x = F.conv2d(x, w, self.bias, self.stride, self.pad)
        return self.norm(x) if self.norm is not None else x


class Lenet5(nn.Module):
    """28x28x1, 32C5-MP2-64C5-MP2-512FC-10, no padding."""

    def __init__(self, kind):
        super().__init__()
        self.c1, self.c2 = Layer(kind, 1, 32, 5), Layer(kind, 32, 64, 5)
        self.f1 = Layer(kind, 1024, 512, 0)
        self.f2 = Layer(kind, 512, 10, 0, norm=False)
        self.q = nn.ModuleList([kind.quantiser() for _ in range(3)])

    def forward(self, x):
        x = self.q[0](F.max_pool2d(F.relu(self.c1(x)), 2))
        x = self.q[1](F.max_pool2d(F.relu(self.c2(x)), 2))
        return self.f2(self.q[2](F.relu(self.f1(x.flatten(1)))))


class Block(nn.Module):
    def __init__(self, kind, c_in, c_out, stride):
        super().__init__()
        self.stride, self.grow = stride, c_out - c_in
        self.a = Layer(kind, c_in, c_out, 3, stride, 1)
        self.b = Layer(kind, c_out, c_out, 3, 1, 1)
        self.qa, self.qb = kind.quantiser(), kind.quantiser()

    def forward(self, x):
        y = self.b(self.qa(F.relu(self.a(x))))
        if self.grow:
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, 0, self.grow))
        return self.qb(F.relu(x + y))


class Resnet20(nn.Module):
    """CIFAR-10, parameter-free shortcuts."""

    def __init__(self, kind):
        super().__init__()
        self.first, self.q = Layer(kind, 3, 16, 3, 1, 1, coded=False), kind.quantiser()
        blocks, c_in = [], 16
        for c in (16, 32, 64):
            for i in range(3):
                blocks.append(Block(kind, c_in, c, 2 if c != 16 and i == 0 else 1))
                c_in = c
        self.blocks = nn.Sequential(*blocks)
        self.last = Layer(kind, 64, 10, 0, norm=False, coded=False)

    def forward(self, x):
        x = self.blocks(self.q(F.relu(self.first(x))))
        return self.last(x.mean((2, 3)))


class Kind:
    """What a network is built of: --mode, and the memory format."""

    def __init__(self, mode, channels_last):
        self.mode, self.channels_last = mode, channels_last

    def quantiser(self):
        return Quantise() if self.mode == "xor8" else nn.Identity()


def build(args, mode, channels_last):
    torch.manual_seed(1)
    kind = Kind(mode, channels_last)
    net = Lenet5(kind) if args.net == "lenet5" else Resnet20(kind)
    return net.to(memory_format=torch.channels_last) if channels_last else net


def images(args, n, channels_last):
    h, w, c = LENET if args.net == "lenet5" else RESNET
    x = torch.randn(n, c, h, w)
    return x.contiguous(memory_format=torch.channels_last) if channels_last else x


def train(args, variant, steps):
    """Median seconds of a step."""
    layout, dtype, loop = variant.split("+")
    last, bf16 = layout == "nhwc", dtype == "bf16"
    net = build(args, args.mode, last).train()
    batches = [images(args, args.batch, last) for _ in range(8)]
    labels = [torch.randint(0, 10, (args.batch,)) for _ in range(8)]
    foreach = loop == "foreach"
    if args.net == "lenet5":
        opt = torch.optim.Adam(net.parameters(), 1e-3, foreach=foreach)
    else:
        opt = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, foreach=foreach)
    times = []
    for step in range(args.warmup + steps):
        start = time.perf_counter()
        opt.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = net(batches[step % 8])
        F.cross_entropy(logits.float(), labels[step % 8]).backward()
        opt.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[args.warmup :])


def tune_train(args):
    """The fastest variants, with and without bfloat16."""
    best = {}
    for dtype in ("f32", "bf16"):
        trial = {}
        for layout in ("nchw", "nhwc"):
            for loop in ("single", "foreach"):
                variant = f"{layout}+{dtype}+{loop}"
                trial[variant] = train(args, variant, args.steps)
        best[dtype] = min(trial, key=trial.get)
    return best


def inference_net(args, variant):
    layout, how = variant.split("+")
    net = build(args, "float", layout == "nhwc").eval()
    torch.jit.enable_onednn_fusion(how == "llga")
    if how == "eager":
        return net
    with torch.no_grad():
        net = torch.jit.freeze(torch.jit.trace(net, images(args, args.batch, layout == "nhwc")))
        if how == "jit":
            net = torch.jit.optimize_for_inference(net)
    return net


def infer(args, variant, n):
    """Seconds for n images."""
    net = inference_net(args, variant)
    x = images(args, n, variant.startswith("nhwc"))
    with torch.no_grad():
        for _ in range(3):
            net(x[: args.batch])
        start = time.perf_counter()
        for i in range(0, n, args.batch):
            net(x[i : i + args.batch])
        return time.perf_counter() - start


def tune_infer(args):
    trial = {}
    for args.batch in (50, 100, 200, 500, 1000):
        for variant in ("nchw+eager", "nhwc+eager", "nchw+jit", "nhwc+jit", "nchw+llga"):
            try:
                seconds = infer(args, variant, TUNE_IMAGES)
            except RuntimeError:  # a fusion that this build of PyTorch lacks
                continue
            trial[f"{variant}+{args.batch}"] = seconds
    return min(trial, key=trial.get)


def macs(args):
    """MACs of one image, and those of the first layer, which has no input gradient."""
    total = []

    def count(layer, inputs, output):
        w = layer.weight() if layer.coded else layer.weight
        total.append(w.numel() * (1 if layer.linear else output.shape[2] * output.shape[3]))

    net = build(args, "float", False).eval()
    for module in net.modules():
        if isinstance(module, Layer):
            module.register_forward_hook(count)
    with torch.no_grad():
        net(images(args, 1, False))
    return sum(total), total[0]


def matmul_peak():
    """Best float operations a second of square products."""
    best = 0
    for n in (512, 1024, 2048):
        a, b = torch.randn(n, n), torch.randn(n, n)
        for _ in range(12):
            start = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2 * n**3 / (time.perf_counter() - start))
    return best


def make_data(folder):
    """Synthetic data sets of both shapes: IDX files, and CIFAR-10's binary version."""
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

    idx, cifar = os.path.join(folder, "idx"), os.path.join(folder, "cifar10")
    os.makedirs(idx, exist_ok=True)
    os.makedirs(cifar, exist_ok=True)
    for name, n in (("train", 60000), ("t10k", 10000)):
        with open(os.path.join(idx, f"{name}-images-idx3-ubyte"), "wb") as f:
            f.write(struct.pack(">IIII", 0x803, n, 28, 28) + draw(n, 28, 28).numpy().tobytes())
        with open(os.path.join(idx, f"{name}-labels-idx1-ubyte"), "wb") as f:
            f.write(struct.pack(">II", 0x801, n) + (draw(n) % 10).numpy().tobytes())
    records = draw(10000, 1 + 3072)
    records[:, 0] %= 10
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        with open(os.path.join(cifar, name + ".bin"), "wb") as f:
            f.write(records.numpy().tobytes())


def run(args):
    if args.what == "data":
        make_data(args.out)
        return {}
    if args.what == "macs":
        total, first = macs(args)
        return {"macs": total, "train_flops": 6 * total - 2 * first}
    if args.what == "peak":
        return {"matmul_flops": matmul_peak()}
    if args.what == "tune-train":
        return tune_train(args)
    if args.what == "tune-infer":
        return {"variant": tune_infer(args)}
    if args.what == "infer":
        variant, batch = args.variant.rsplit("+", 1)
        args.batch = int(batch)
        return {"images_per_second": args.images / infer(args, variant, args.images)}
    return {"images_per_second": args.batch / train(args, args.variant, args.steps)}


def main():
    what = ("train", "infer", "tune-train", "tune-infer", "macs", "peak", "data")
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("what", choices=what)
    parser.add_argument("--net", choices=("lenet5", "resnet20"), default="lenet5")
    parser.add_argument("--mode", choices=("float", "xor", "xor8"), default="float",
                        help="xor8: with 8-bit fake-quantised activations")
    parser.add_argument("--variant", default="nchw+f32+single", help="as the tune commands print")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--images", type=int, default=10000, help="infer: how many")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", default=".", help="data: the folder")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(json.dumps(run(args) | {"torch": torch.__version__}))


if __name__ == "__main__":
    main()
