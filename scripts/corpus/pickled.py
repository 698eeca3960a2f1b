"""Whole modules as torch.save(model) writes them: objects of torch.nn, no code."""
from collections import OrderedDict

import torch
import torch.nn as nn

from corpus.base import I, T, case


def pickled(*inputs, **opt):
    """Register a function that returns a module, saved by torch.save instead of torch.jit.save."""
    return case(*inputs, **dict(opt, form="pickled", make=True, plain_name=True))


def steady(*layers):
    """A chain with normalisations between, so that no layer sees only saturated numbers."""
    chain = []
    for layer in layers:
        chain += [layer, nn.LayerNorm(8, elementwise_affine=False)]
    return nn.Sequential(*chain)


@pickled(T(2, 3, 8, 8))
def classifier():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.5),
                         nn.AdaptiveAvgPool2d((None, 2)), nn.Flatten(), nn.Linear(64, 10), nn.Softmax(dim=1))


@pickled(T(2, 3, 8, 8), training=True)
def classifier_in_training():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(288, momentum=None), nn.Linear(288, 4))


@pickled(T(3, 4))
def named_and_nested():
    shared = nn.Linear(4, 4)
    return nn.Sequential(OrderedDict([("first layer", shared), ("act", nn.ReLU()), ("body", nn.Sequential(shared, nn.Sequential())),
                                      ("head", nn.DataParallel(nn.Linear(4, 2)))]))


@pickled(T(2, 4, 8))
def activations():
    return steady(nn.Threshold(0.1, 2), nn.ReLU(), nn.ReLU6(), nn.RReLU(), nn.Hardtanh(-1.5, 2), nn.Sigmoid(), nn.Hardsigmoid(), nn.Tanh(), nn.SiLU(),
                  nn.Mish(), nn.Hardswish(), nn.ELU(0.7), nn.CELU(1.5), nn.SELU(), nn.GELU(), nn.GELU("tanh"), nn.Hardshrink(0.3), nn.Softshrink(0.2),
                  nn.LeakyReLU(0.2), nn.LogSigmoid(), nn.Softplus(2, 5), nn.PReLU(4), nn.Softsign(), nn.Tanhshrink(), nn.Softmin(1), nn.Softmax(-1),
                  nn.LogSoftmax(1), nn.Softmax(), nn.Identity(), nn.AlphaDropout())


@pickled(T(2, 4, 8))
def activations_in_place():
    return steady(nn.Threshold(0.1, 2, True), nn.ReLU(True), nn.ReLU6(True), nn.RReLU(inplace=True), nn.Hardtanh(-1.5, 2, True), nn.Hardsigmoid(True),
                  nn.SiLU(True), nn.Mish(True), nn.Hardswish(True), nn.ELU(0.7, True), nn.CELU(1.5, True), nn.SELU(True), nn.LeakyReLU(0.2, True),
                  nn.Dropout(inplace=True))


@pickled(T(2, 4, 9, 8))
def softmax_of_images():
    return nn.Sequential(nn.Softmax2d(), nn.GLU(), nn.PixelUnshuffle(1), nn.ChannelShuffle(2), nn.PixelShuffle(2))


@pickled(T(2, 4, 12))
def convolutions_1d():
    return nn.Sequential(nn.Conv1d(4, 6, 3, padding="same", padding_mode="circular"), nn.Conv1d(6, 6, 4, padding="same"), nn.ConvTranspose1d(6, 4, 3, stride=2),
                         nn.Conv1d(4, 4, 3, padding=2, padding_mode="replicate"), nn.Conv1d(4, 4, 2, padding="valid", groups=2, bias=False))


@pickled(T(2, 4, 9, 8))
def convolutions_2d():
    return nn.Sequential(nn.Conv2d(4, 6, (3, 2), padding="same", padding_mode="reflect"), nn.Conv2d(6, 6, 3, padding="same", dilation=2),
                         nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1), nn.Conv2d(4, 4, 3, stride=2, padding=(2, 1), padding_mode="circular"))


@pickled(T(1, 2, 5, 6, 7))
def convolutions_3d():
    return nn.Sequential(nn.Conv3d(2, 4, 3, padding=1, padding_mode="replicate"), nn.ConvTranspose3d(4, 2, 2, stride=2), nn.Conv3d(2, 2, (2, 3, 2), padding="same"))


@pickled(T(2, 4, 9, 8))
def norms():
    return nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True, track_running_stats=True), nn.LayerNorm(8), nn.RMSNorm([9, 8]), nn.LocalResponseNorm(3),
                         nn.InstanceNorm2d(4), nn.BatchNorm2d(4, track_running_stats=False), nn.LayerNorm((9, 8), bias=False), nn.GroupNorm(4, 4, affine=False))


@pickled(T(2, 4, 9, 8))
def pools():
    return nn.Sequential(nn.ZeroPad2d((1, 2, 3, 4)), nn.MaxPool2d(2, stride=1, ceil_mode=True), nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
                         nn.LPPool2d(2, 2, stride=1), nn.AvgPool2d(2, divisor_override=3), nn.AdaptiveMaxPool2d((None, 4)), nn.ReflectionPad2d(2), nn.ReplicationPad2d(1),
                         nn.CircularPad2d((1, 0, 2, 1)), nn.ConstantPad2d(1, 0.5), nn.AdaptiveAvgPool2d(3), nn.MaxPool2d(2, return_indices=True))


@pickled(T(1, 2, 5, 6, 7))
def volumes():
    return nn.Sequential(nn.BatchNorm3d(2), nn.MaxPool3d(2, stride=1), nn.AvgPool3d(2, stride=1), nn.LPPool3d(2, 2, stride=1), nn.ConstantPad3d(1, 2.5), nn.ReplicationPad3d(1),
                         nn.ReflectionPad3d(1), nn.CircularPad3d(1), nn.AdaptiveMaxPool3d(4), nn.AdaptiveAvgPool3d((None, 2, 2)), nn.Dropout3d(),
                         nn.Upsample(scale_factor=2, mode="trilinear"), nn.Upsample(size=3, mode="nearest"), nn.InstanceNorm3d(2))


@pickled(T(2, 4, 6))
def upsampling_1d():
    return nn.Sequential(nn.Upsample(scale_factor=1.7, mode="linear"), nn.Upsample(size=7, mode="nearest"), nn.Upsample(scale_factor=2.3, mode="area"),
                         nn.Upsample(scale_factor=1.5, mode="nearest-exact", recompute_scale_factor=True))


@pickled(T(2, 3, 6, 5))
def upsampling_2d():
    return nn.Sequential(nn.Upsample(scale_factor=(1.7, 2), mode="bilinear"), nn.UpsamplingNearest2d(scale_factor=2), nn.Upsample(size=(7, 6), mode="bicubic", align_corners=True),
                         nn.UpsamplingBilinear2d(size=9))


@pickled(I(3, 6, low=0))
def sentences():
    return nn.Sequential(nn.Embedding(10, 8, padding_idx=0), nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True, norm_first=True), 2,
                                                                                      norm=nn.LayerNorm(8), enable_nested_tensor=False), nn.LSTM(8, 5, num_layers=2, bidirectional=True, batch_first=True))


@pickled(T(4, 3, 8), T(5, 3, 8))
def transformer():
    return nn.Transformer(8, 2, 1, 1, 16)


@pickled(T(3, 2, 8), T(4, 2, 5), T(4, 2, 6))
def attention():
    return nn.MultiheadAttention(8, 2, kdim=5, vdim=6, add_bias_kv=True, add_zero_attn=True)


@pickled(T(7, 5), T(1, 6))
def recurrent_unbatched():
    return nn.GRU(5, 6)


@pickled(T(7, 2, 5))
def recurrent_plain():
    return nn.RNN(5, 6, nonlinearity="relu", bias=False)


@pickled(T(3, 5))
def recurrent_cell():
    return nn.LSTMCell(5, 6)


@pickled(I(3, 5, low=0))
def bags():
    return nn.Sequential(nn.EmbeddingBag(10, 4, mode="max"), nn.Unflatten(1, (2, -1)), nn.Flatten(0, 1))


@pickled(T(2, 12, 12))
def folds():
    return nn.Sequential(nn.Fold((4, 5), (2, 2)), nn.Unfold(2, padding=1, stride=2))


@pickled(T(3, 4), T(3, 5))
def two_inputs():
    return nn.Bilinear(4, 5, 2)


@pickled(T(2, 3, 5), fails=True, calibrated=True)
def wrong_rank():
    return nn.Sequential(nn.BatchNorm2d(3))


@pickled(T(3, 4), stream=True)
def before_1_6():
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh())


for protocol in range(1, 6):  # what protocol 0 writes PyTorch cannot read
    pickled(T(3, 4), protocol=protocol, name="protocol-%d" % protocol)(lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.1), nn.Tanh()))


@pickled(T(2, 4, 9, 8), strip=("padding_mode", "_reversed_padding_repeated_twice", "num_batches_tracked", "track_running_stats", "approximate", "divisor_override",
                               "recompute_scale_factor", "return_indices", "_non_persistent_buffers_set", "_is_full_backward_hook"))
def attributes_of_old_files():
    return nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.AvgPool2d(2), nn.MaxPool2d(2, stride=1), nn.Upsample(scale_factor=2))


# hooks of torch.nn.utils, whose code is known


@pickled(T(2, 4, 9))
def weight_norm():
    return nn.Sequential(nn.utils.weight_norm(nn.Conv1d(4, 6, 3)), nn.ReLU(), nn.utils.weight_norm(nn.ConvTranspose1d(6, 3, 2), dim=1))


@pickled(T(5, 2, 4))
def weight_norm_recurrent():
    return nn.utils.weight_norm(nn.LSTM(4, 3), "weight_hh_l0")


@pickled(T(2, 4, 6, 6))
def spectral_norm():
    return nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(4, 6, 3)), nn.LeakyReLU(), nn.Flatten(), nn.utils.spectral_norm(nn.Linear(96, 3)))


@pickled(T(2, 5, 4, 4))
def cross_map_lrn():
    return nn.Sequential(nn.CrossMapLRN2d(3, alpha=0.5, k=2.0))


@pickled(T(2, 3, 9, 9))
def fractional_pool():
    return nn.Sequential(nn.FractionalMaxPool2d(2, output_ratio=(0.5, 0.6), _random_samples=torch.full((2, 3, 2), 0.25)))


@pickled(T(3, 4), T(3, 4), T(3, 4))
def triplet_loss():
    return nn.TripletMarginLoss(swap=True)


@pickled(T(3, 4), T(3, 4))
def multilabel_loss():
    return nn.MultiLabelSoftMarginLoss(weight=torch.tensor([1.0, 2.0, 0.5, 1.0]))


@pickled(T(3, 4), T(3, 4))
def divergence_loss():
    return nn.KLDivLoss("batchmean", log_target=True)
