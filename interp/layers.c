/* One row a layer class; see layers.h. */
#include "interp/layers.h"

#define X "def forward(self, input: Tensor) -> Tensor:\n"
#define UNARY(expression) X "  return " expression "\n"
#define INPLACE(expression, expression_)    \
  X "  if self.inplace:\n"                  \
    "    out = " expression_ "\n"           \
    "  else:\n"                             \
    "    out = " expression "\n"            \
    "  return out\n"
#define LAYERS "__torch__.layers."

#define CONV(n)                                                                                                       \
  "weight:T bias:T? stride:i" n "=1 padding:p" n "=0 dilation:i" n "=1 groups:i=1 padding_mode:s=zeros",              \
      X "  if self.padding_mode != \"zeros\":\n"                                                                      \
        "    if self.padding_same:\n"                                                                                 \
        "      x = " LAYERS "pad_same(input, self.weight, self.dilation, self.padding_mode)\n"                        \
        "    else:\n"                                                                                                 \
        "      x = " LAYERS "pad(input, self.padding, self.padding_mode)\n"                                           \
        "    out = torch.conv" n "d(x, self.weight, self.bias, self.stride, [0], self.dilation, self.groups)\n"       \
        "  elif self.padding_same:\n"                                                                                 \
        "    out = torch.conv" n "d(input, self.weight, self.bias, self.stride, \"same\", self.dilation, self.groups)\n" \
        "  else:\n"                                                                                                   \
        "    out = torch.conv" n "d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)\n" \
        "  return out\n"

#define CONV_TRANSPOSE(n)                                                                                             \
  "weight:T bias:T? stride:i" n "=1 padding:i" n "=0 output_padding:i" n "=0 groups:i=1 dilation:i" n "=1",           \
      "def forward(self, input: Tensor, output_size: Optional[List[int]]=None) -> Tensor:\n"                          \
      "  extra = self.output_padding\n"                                                                               \
      "  if output_size is not None:\n"                                                                               \
      "    extra = " LAYERS "output_padding(input, output_size, self.stride, self.padding, self.weight, self.dilation)\n" \
      "  return torch.conv_transpose" n "d(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)\n"

#define BATCH_NORM_ATTRIBUTES                                                                       \
  "weight:T? bias:T? running_mean:T? running_var:T? num_batches_tracked:T? eps:f=1e-05 momentum:f?=0.1 " \
  "track_running_stats:b=1 training:b=1"
#define BATCH_NORM(low, high, text)                                                                                   \
  BATCH_NORM_ATTRIBUTES,                                                                                              \
      X "  " LAYERS "check_dim(input, " low ", " high ", \"" text "\")\n"                                             \
        "  factor = 0.0\n"                                                                                            \
        "  if self.momentum is not None:\n"                                                                           \
        "    factor = self.momentum\n"                                                                                \
        "  if self.training and self.track_running_stats:\n"                                                          \
        "    if self.num_batches_tracked is not None:\n"                                                              \
        "      torch.add_(self.num_batches_tracked, 1)\n"                                                             \
        "      if self.momentum is None:\n"                                                                           \
        "        factor = 1.0 / float(self.num_batches_tracked)\n"                                                    \
        "  batch = self.training\n"                                                                                   \
        "  if self.running_mean is None and self.running_var is None:\n"                                              \
        "    batch = True\n"                                                                                          \
        "  if batch:\n"                                                                                               \
        "    " LAYERS "check_batch(input)\n"                                                                          \
        "  if self.training and not self.track_running_stats:\n"                                                      \
        "    out = torch.batch_norm(input, self.weight, self.bias, None, None, batch, factor, self.eps, True)\n"      \
        "  else:\n"                                                                                                   \
        "    out = torch.batch_norm(input, self.weight, self.bias, self.running_mean, self.running_var, batch, factor, self.eps, True)\n" \
        "  return out\n"

#define INSTANCE_NORM(alone, text)                                                                                    \
  "weight:T? bias:T? running_mean:T? running_var:T? eps:f=1e-05 momentum:f?=0.1 track_running_stats:b=0 training:b=1", \
      X "  " LAYERS "check_dim(input, " alone ", " alone " + 1, \"" text "\")\n"                                      \
        "  x = input\n"                                                                                               \
        "  if torch.dim(input) == " alone ":\n"                                                                       \
        "    x = torch.unsqueeze(input, 0)\n"                                                                         \
        "  factor = 0.0\n"                                                                                            \
        "  if self.momentum is not None:\n"                                                                           \
        "    factor = self.momentum\n"                                                                                \
        "  x = torch.instance_norm(x, self.weight, self.bias, self.running_mean, self.running_var, "                  \
        "self.training or not self.track_running_stats, factor, self.eps, True)\n"                                    \
        "  if torch.dim(input) == " alone ":\n"                                                                       \
        "    x = torch.squeeze(x, 0)\n"                                                                               \
        "  return x\n"

#define MAX_POOL(n)                                                                                                   \
  "kernel_size:i" n " stride:i" n "? padding:i" n "=0 dilation:i" n "=1 ceil_mode:b=0",                               \
      X "  stride = annotate(List[int], [])\n"                                                                        \
        "  if self.stride is not None:\n"                                                                             \
        "    stride = self.stride\n"                                                                                  \
        "  return torch.max_pool" n "d(input, self.kernel_size, stride, self.padding, self.dilation, self.ceil_mode)\n"
#define MAX_POOL_INDICES(n)                                                                                           \
  "kernel_size:i" n " stride:i" n "? padding:i" n "=0 dilation:i" n "=1 ceil_mode:b=0",                               \
      "def forward(self, input: Tensor) -> Tuple[Tensor, Tensor]:\n"                                                  \
      "  stride = annotate(List[int], [])\n"                                                                          \
      "  if self.stride is not None:\n"                                                                               \
      "    stride = self.stride\n"                                                                                    \
      "  return torch.max_pool" n "d_with_indices(input, self.kernel_size, stride, self.padding, self.dilation, self.ceil_mode)\n"
#define AVG_POOL(n, more_attributes, more)                                                                            \
  "kernel_size:i" n " stride:i" n "? padding:i" n "=0 ceil_mode:b=0 count_include_pad:b=1" more_attributes,           \
      X "  stride = annotate(List[int], [])\n"                                                                        \
        "  if self.stride is not None:\n"                                                                             \
        "    stride = self.stride\n"                                                                                  \
        "  return torch.avg_pool" n "d(input, self.kernel_size, stride, self.padding, self.ceil_mode, self.count_include_pad" more ")\n"
#define LP_POOL(n)                                                                                                    \
  "norm_type:f kernel_size:i" n " stride:i" n "? ceil_mode:b=0",                                                      \
      X "  stride = annotate(List[int], [])\n"                                                                        \
        "  if self.stride is not None:\n"                                                                             \
        "    stride = self.stride\n"                                                                                  \
        "  out = torch.avg_pool" n "d(torch.pow(input, self.norm_type), self.kernel_size, stride, [0], self.ceil_mode)\n" \
        "  return " LAYERS "lp_root(out, self.kernel_size, self.norm_type)\n"
#define ADAPTIVE_AVG(n) \
  "output_size:a" n, UNARY("torch.adaptive_avg_pool" n "d(input, " LAYERS "output_size(input, self.output_size))")
#define ADAPTIVE_MAX(n) \
  "output_size:a" n, UNARY("(torch.adaptive_max_pool" n "d(input, " LAYERS "output_size(input, self.output_size)))[0]")
#define ADAPTIVE_MAX_INDICES(n)                                         \
  "output_size:a" n,                                                    \
      "def forward(self, input: Tensor) -> Tuple[Tensor, Tensor]:\n"    \
      "  return torch.adaptive_max_pool" n "d(input, " LAYERS "output_size(input, self.output_size))\n"
#define MAX_UNPOOL(n, dims)                                                                                           \
  "kernel_size:i" n " stride:i" n "? padding:i" n "=0",                                                               \
      "def forward(self, input: Tensor, indices: Tensor, output_size: Optional[List[int]]=None) -> Tensor:\n"         \
      "  stride = self.kernel_size\n"                                                                                 \
      "  if self.stride is not None:\n"                                                                               \
      "    stride = self.stride\n"                                                                                    \
      "  size = " LAYERS "unpool_size(input, self.kernel_size, stride, self.padding, output_size)\n"                  \
      "  return " dims "\n"

#define FRACTIONAL_ATTRIBUTES(n) "kernel_size:i" n " output_size:i" n "? output_ratio:f*? _random_samples:T?"
#define FRACTIONAL_BODY(n)                                                                                   \
  "  size = " LAYERS "fractional_size(input, self.output_size, self.output_ratio, " n ")\n"                           \
  "  if self._random_samples is not None:\n"                                                                          \
  "    samples = self._random_samples\n"                                                                              \
  "  else:\n"                                                                                                         \
  "    samples = " LAYERS "fractional_samples(input, " n ")\n"                                                         \
  "  out, indices = torch.fractional_max_pool" n "d(input, self.kernel_size, size, samples)\n"
#define FRACTIONAL(n) FRACTIONAL_ATTRIBUTES(n), X FRACTIONAL_BODY(n) "  return out\n"
#define FRACTIONAL_INDICES(n) \
  FRACTIONAL_ATTRIBUTES(n), "def forward(self, input: Tensor) -> Tuple[Tensor, Tensor]:\n" FRACTIONAL_BODY(n) "  return (out, indices)\n"

#define PAD(n, mode, more_attributes, value) \
  "padding:i" n more_attributes, UNARY("torch.pad(input, self.padding, \"" mode "\", " value ")")
#define FEATURE_DROPOUT(batched)                                                          \
  "p:f=0.5 inplace:b=0 training:b=1",                                                     \
      X "  x = input\n"                                                                   \
        "  if torch.dim(input) != " batched ":\n"                                         \
        "    x = torch.unsqueeze(input, 0)\n"                                             \
        "  if self.inplace:\n"                                                            \
        "    x = torch.feature_dropout_(x, self.p, self.training)\n"                      \
        "  else:\n"                                                                       \
        "    x = torch.feature_dropout(x, self.p, self.training)\n"                       \
        "  if torch.dim(input) != " batched ":\n"                                         \
        "    x = torch.squeeze(x, 0)\n"                                                   \
        "  return x\n"
#define DROPOUT(op) \
  "p:f=0.5 inplace:b=0 training:b=1", INPLACE("torch." op "(input, self.p, self.training)", "torch." op "_(input, self.p, self.training)")
#define CELL(op, state, states)                                                                                  \
  "weight_ih:T weight_hh:T bias_ih:T? bias_hh:T? hidden_size:i",                                                 \
      "def forward(self, input: Tensor, hx: Optional[Tensor]=None) -> Tensor:\n"                                 \
      "  x = " LAYERS "as_batch(input)\n"                                                                        \
      "  if hx is None:\n"                                                                                       \
      "    h = torch.zeros([torch.size(x, 0), self.hidden_size], dtype=input.dtype)\n"                           \
      "  else:\n"                                                                                                \
      "    h = " LAYERS "as_batch(hx)\n"                                                                         \
      "  out = torch." op "(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)\n"                 \
      "  if torch.dim(input) == 1:\n"                                                                            \
      "    out = torch.squeeze(out, 0)\n"                                                                        \
      "  return out\n"

#define ATTENTION                                                                                                     \
  "in_proj_weight:T? in_proj_bias:T? q_proj_weight:T? k_proj_weight:T? v_proj_weight:T? bias_k:T? bias_v:T? "         \
  "embed_dim:i num_heads:i dropout:f=0 batch_first:b=0 add_zero_attn:b=0 training:b=1",                               \
      "def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Optional[Tensor]=None, "        \
      "need_weights: bool=True, attn_mask: Optional[Tensor]=None, average_attn_weights: bool=True, "                  \
      "is_causal: bool=False) -> Tuple[Tensor, Optional[Tensor]]:\n"                                                  \
      "  if self.in_proj_weight is not None:\n"                                                                       \
      "    w = torch.chunk(self.in_proj_weight, 3)\n"                                                                 \
      "    wq, wk, wv = w[0], w[1], w[2]\n"                                                                           \
      "  elif self.q_proj_weight is not None and self.k_proj_weight is not None and self.v_proj_weight is not None:\n" \
      "    wq, wk, wv = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight\n"                                 \
      "  else:\n"                                                                                                     \
      "    raise Exception(\"the projection weights are missing\")\n"                                                                     \
      "  return " LAYERS "attention(query, key, value, wq, wk, wv, self.in_proj_bias, self.bias_k, self.bias_v, "     \
      "self.add_zero_attn, self.num_heads, self.dropout, self.training, self.batch_first, self.out_proj.weight, "     \
      "self.out_proj.bias, key_padding_mask, need_weights, attn_mask, average_attn_weights)\n"

#define LOSS(args, call) "reduction:s=mean" args, \
  "def forward(self, input: Tensor, target: Tensor) -> Tensor:\n  return " call "\n"
#define REDUCTION LAYERS "reduction(self.reduction)"
#define LOSS3(args, a, b, c, call) "reduction:s=mean" args, \
  "def forward(self, " a ": Tensor, " b ": Tensor, " c ": Tensor) -> Tensor:\n  return " call "\n"

/* clang-format off */
const tsr_layer tsr_layers[] = {
    /* containers: their children in order */
    {"container.Sequential", NULL, "", NULL},
    {"container.ModuleList", NULL, "", NULL},
    {"torch.nn.parallel.data_parallel.DataParallel", NULL, "", NULL},
    {"torch.nn.parallel.distributed.DistributedDataParallel", NULL, "", NULL},
    {"torch._dynamo.eval_frame.OptimizedModule", NULL, "", NULL},

    {"linear.Identity", NULL, "", UNARY("input")},
    {"linear.Linear", NULL, "weight:T bias:T?", UNARY("torch.linear(input, self.weight, self.bias)")},
    {"linear.NonDynamicallyQuantizableLinear", NULL, "weight:T bias:T?", UNARY("torch.linear(input, self.weight, self.bias)")},
    {"linear._LinearWithBias", NULL, "weight:T bias:T?", UNARY("torch.linear(input, self.weight, self.bias)")},
    {"linear.Bilinear", NULL, "weight:T bias:T?",
     "def forward(self, input1: Tensor, input2: Tensor) -> Tensor:\n"
     "  return torch.bilinear(input1, input2, self.weight, self.bias)\n"},
    {"flatten.Flatten", NULL, "start_dim:i=1 end_dim:i=-1", UNARY("torch.flatten(input, self.start_dim, self.end_dim)")},
    {"flatten.Unflatten", NULL, "dim:i unflattened_size:i*", UNARY("torch.unflatten(input, self.dim, self.unflattened_size)")},

    {"conv.Conv1d", NULL, CONV("1")},
    {"conv.Conv2d", NULL, CONV("2")},
    {"conv.Conv3d", NULL, CONV("3")},
    {"conv.ConvTranspose1d", NULL, CONV_TRANSPOSE("1")},
    {"conv.ConvTranspose2d", NULL, CONV_TRANSPOSE("2")},
    {"conv.ConvTranspose3d", NULL, CONV_TRANSPOSE("3")},
    {"fold.Fold", NULL, "output_size:i2 kernel_size:i2 dilation:i2=1 padding:i2=0 stride:i2=1",
     UNARY("torch.col2im(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)")},
    {"fold.Unfold", NULL, "kernel_size:i2 dilation:i2=1 padding:i2=0 stride:i2=1",
     UNARY("torch.im2col(input, self.kernel_size, self.dilation, self.padding, self.stride)")},

    {"batchnorm.BatchNorm1d", NULL, BATCH_NORM("2", "3", "expected 2D or 3D input")},
    {"batchnorm.BatchNorm2d", NULL, BATCH_NORM("4", "4", "expected 4D input")},
    {"batchnorm.BatchNorm3d", NULL, BATCH_NORM("5", "5", "expected 5D input")},
    {"batchnorm.SyncBatchNorm", NULL, BATCH_NORM("2", "64", "expected at least 2D input")},
    {"instancenorm.InstanceNorm1d", NULL, INSTANCE_NORM("2", "expected 2D or 3D input")},
    {"instancenorm.InstanceNorm2d", NULL, INSTANCE_NORM("3", "expected 3D or 4D input")},
    {"instancenorm.InstanceNorm3d", NULL, INSTANCE_NORM("4", "expected 4D or 5D input")},
    {"normalization.LayerNorm", NULL, "weight:T? bias:T? normalized_shape:i* eps:f=1e-05",
     UNARY("torch.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)")},
    {"normalization.GroupNorm", NULL, "weight:T? bias:T? num_groups:i eps:f=1e-05",
     UNARY("torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)")},
    {"normalization.RMSNorm", NULL, "weight:T? normalized_shape:i* eps:f?",
     UNARY("torch.rms_norm(input, self.normalized_shape, self.weight, self.eps)")},
    {"normalization.LocalResponseNorm", NULL, "size:i alpha:f=0.0001 beta:f=0.75 k:f=1",
     UNARY(LAYERS "local_response_norm(input, self.size, self.alpha, self.beta, self.k)")},

    {"activation.Threshold", NULL, "threshold:n value:n inplace:b=0",
     INPLACE("torch.threshold(input, self.threshold, self.value)", "torch.threshold_(input, self.threshold, self.value)")},
    {"activation.ReLU", NULL, "inplace:b=0", INPLACE("torch.relu(input)", "torch.relu_(input)")},
    {"activation.ReLU6", NULL, "inplace:b=0", INPLACE("torch.hardtanh(input, 0.0, 6.0)", "torch.hardtanh_(input, 0.0, 6.0)")},
    {"activation.RReLU", NULL, "lower:f=0.125 upper:f=0.3333333333333333 inplace:b=0 training:b=1",
     INPLACE("torch.rrelu(input, self.lower, self.upper, self.training)", "torch.rrelu_(input, self.lower, self.upper, self.training)")},
    {"activation.Hardtanh", NULL, "min_val:n=-1 max_val:n=1 inplace:b=0",
     INPLACE("torch.hardtanh(input, self.min_val, self.max_val)", "torch.hardtanh_(input, self.min_val, self.max_val)")},
    {"activation.Sigmoid", NULL, "", UNARY("torch.sigmoid(input)")},
    {"activation.Hardsigmoid", NULL, "inplace:b=0", INPLACE("torch.hardsigmoid(input)", "torch.hardsigmoid_(input)")},
    {"activation.Tanh", NULL, "", UNARY("torch.tanh(input)")},
    {"activation.SiLU", NULL, "inplace:b=0", INPLACE("torch.silu(input)", "torch.silu_(input)")},
    {"activation.Mish", NULL, "inplace:b=0", INPLACE("torch.mish(input)", "torch.mish_(input)")},
    {"activation.Hardswish", NULL, "inplace:b=0", INPLACE("torch.hardswish(input)", "torch.hardswish_(input)")},
    {"activation.ELU", NULL, "alpha:n=1 inplace:b=0", INPLACE("torch.elu(input, self.alpha)", "torch.elu_(input, self.alpha)")},
    {"activation.CELU", NULL, "alpha:n=1 inplace:b=0", INPLACE("torch.celu(input, self.alpha)", "torch.celu_(input, self.alpha)")},
    {"activation.SELU", NULL, "inplace:b=0", INPLACE("torch.selu(input)", "torch.selu_(input)")},
    {"activation.GLU", NULL, "dim:i=-1", UNARY("torch.glu(input, self.dim)")},
    {"activation.GELU", NULL, "approximate:s=none", UNARY("torch.gelu(input, approximate=self.approximate)")},
    {"activation.Hardshrink", NULL, "lambd:n=0.5", UNARY("torch.hardshrink(input, self.lambd)")},
    {"activation.Softshrink", NULL, "lambd:n=0.5", UNARY("torch.softshrink(input, self.lambd)")},
    {"activation.LeakyReLU", NULL, "negative_slope:n=0.01 inplace:b=0",
     INPLACE("torch.leaky_relu(input, self.negative_slope)", "torch.leaky_relu_(input, self.negative_slope)")},
    {"activation.LogSigmoid", NULL, "", UNARY("torch.log_sigmoid(input)")},
    {"activation.Softplus", NULL, "beta:n=1 threshold:n=20", UNARY("torch.softplus(input, self.beta, self.threshold)")},
    {"activation.PReLU", NULL, "weight:T", UNARY("torch.prelu(input, self.weight)")},
    {"activation.Softsign", NULL, "", UNARY("torch.div(input, torch.add(torch.abs(input), 1))")},
    {"activation.Tanhshrink", NULL, "", UNARY("torch.sub(input, torch.tanh(input))")},
    {"activation.Softmin", NULL, "dim:i?", UNARY("torch.softmax(torch.neg(input), " LAYERS "softmax_dim(input, self.dim))")},
    {"activation.Softmax", NULL, "dim:i?", UNARY("torch.softmax(input, " LAYERS "softmax_dim(input, self.dim))")},
    {"activation.LogSoftmax", NULL, "dim:i?", UNARY("torch.log_softmax(input, " LAYERS "softmax_dim(input, self.dim))")},
    {"activation.Softmax2d", NULL, "",
     X "  " LAYERS "check_dim_text(input, 3, 4, \"Softmax2d: expected input to be 3D or 4D, got {}D instead\")\n"
       "  return torch.softmax(input, -3)\n"},
    {"activation.MultiheadAttention", NULL, ATTENTION},

    {"dropout.Dropout", NULL, DROPOUT("dropout")},
    {"dropout.Dropout1d", NULL, FEATURE_DROPOUT("3")},
    {"dropout.Dropout2d", NULL, DROPOUT("feature_dropout")},
    {"dropout.Dropout3d", NULL, FEATURE_DROPOUT("5")},
    {"dropout.AlphaDropout", NULL, "p:f=0.5 training:b=1", UNARY("torch.alpha_dropout(input, self.p, self.training)")},
    {"dropout.FeatureAlphaDropout", NULL, "p:f=0.5 training:b=1", UNARY("torch.feature_alpha_dropout(input, self.p, self.training)")},

    {"pooling.MaxPool1d", "return_indices", MAX_POOL_INDICES("1")},
    {"pooling.MaxPool2d", "return_indices", MAX_POOL_INDICES("2")},
    {"pooling.MaxPool3d", "return_indices", MAX_POOL_INDICES("3")},
    {"pooling.MaxPool1d", NULL, MAX_POOL("1")},
    {"pooling.MaxPool2d", NULL, MAX_POOL("2")},
    {"pooling.MaxPool3d", NULL, MAX_POOL("3")},
    {"pooling.MaxUnpool1d", NULL, MAX_UNPOOL("1", "torch.squeeze(torch.max_unpool2d(torch.unsqueeze(input, -1), torch.unsqueeze(indices, -1), size + [1]), -1)")},
    {"pooling.MaxUnpool2d", NULL, MAX_UNPOOL("2", "torch.max_unpool2d(input, indices, size)")},
    {"pooling.MaxUnpool3d", NULL, MAX_UNPOOL("3", "torch.max_unpool3d(input, indices, size, stride, self.padding)")},
    {"pooling.AvgPool1d", NULL, AVG_POOL("1", "", "")},
    {"pooling.AvgPool2d", NULL, AVG_POOL("2", " divisor_override:i?", ", self.divisor_override")},
    {"pooling.AvgPool3d", NULL, AVG_POOL("3", " divisor_override:i?", ", self.divisor_override")},
    {"pooling.LPPool1d", NULL, LP_POOL("1")},
    {"pooling.LPPool2d", NULL, LP_POOL("2")},
    {"pooling.LPPool3d", NULL, LP_POOL("3")},
    {"pooling.AdaptiveAvgPool1d", NULL, ADAPTIVE_AVG("1")},
    {"pooling.AdaptiveAvgPool2d", NULL, ADAPTIVE_AVG("2")},
    {"pooling.AdaptiveAvgPool3d", NULL, ADAPTIVE_AVG("3")},
    {"pooling.AdaptiveMaxPool1d", "return_indices", ADAPTIVE_MAX_INDICES("1")},
    {"pooling.AdaptiveMaxPool2d", "return_indices", ADAPTIVE_MAX_INDICES("2")},
    {"pooling.AdaptiveMaxPool3d", "return_indices", ADAPTIVE_MAX_INDICES("3")},
    {"pooling.AdaptiveMaxPool1d", NULL, ADAPTIVE_MAX("1")},
    {"pooling.AdaptiveMaxPool2d", NULL, ADAPTIVE_MAX("2")},
    {"pooling.AdaptiveMaxPool3d", NULL, ADAPTIVE_MAX("3")},

    {"padding.ReflectionPad1d", NULL, PAD("2", "reflect", "", "None")},
    {"padding.ReflectionPad2d", NULL, PAD("4", "reflect", "", "None")},
    {"padding.ReflectionPad3d", NULL, PAD("6", "reflect", "", "None")},
    {"padding.ReplicationPad1d", NULL, PAD("2", "replicate", "", "None")},
    {"padding.ReplicationPad2d", NULL, PAD("4", "replicate", "", "None")},
    {"padding.ReplicationPad3d", NULL, PAD("6", "replicate", "", "None")},
    {"padding.CircularPad1d", NULL, PAD("2", "circular", "", "None")},
    {"padding.CircularPad2d", NULL, PAD("4", "circular", "", "None")},
    {"padding.CircularPad3d", NULL, PAD("6", "circular", "", "None")},
    {"padding.ZeroPad1d", NULL, PAD("2", "constant", "", "0.0")},
    {"padding.ZeroPad2d", NULL, PAD("4", "constant", "", "0.0")},
    {"padding.ZeroPad3d", NULL, PAD("6", "constant", "", "0.0")},
    {"padding.ConstantPad1d", NULL, PAD("2", "constant", " value:f", "self.value")},
    {"padding.ConstantPad2d", NULL, PAD("4", "constant", " value:f", "self.value")},
    {"padding.ConstantPad3d", NULL, PAD("6", "constant", " value:f", "self.value")},

    {"pixelshuffle.PixelShuffle", NULL, "upscale_factor:i", UNARY("torch.pixel_shuffle(input, self.upscale_factor)")},
    {"pixelshuffle.PixelUnshuffle", NULL, "downscale_factor:i", UNARY("torch.pixel_unshuffle(input, self.downscale_factor)")},
    {"channelshuffle.ChannelShuffle", NULL, "groups:i", UNARY("torch.channel_shuffle(input, self.groups)")},
    {"pooling.FractionalMaxPool2d", "return_indices", FRACTIONAL_INDICES("2")},
    {"pooling.FractionalMaxPool2d", NULL, FRACTIONAL("2")},
    {"pooling.FractionalMaxPool3d", "return_indices", FRACTIONAL_INDICES("3")},
    {"pooling.FractionalMaxPool3d", NULL, FRACTIONAL("3")},
    {"normalization.CrossMapLRN2d", NULL, "size:i alpha:f=0.0001 beta:f=0.75 k:f=1", UNARY(LAYERS "cross_map_lrn(input, self.size, self.alpha, self.beta, self.k)")},
    {"upsampling.Upsample", NULL, "size:i*? scale_factor:f*? mode:s=nearest align_corners:b? recompute_scale_factor:b?",
     UNARY(LAYERS "interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)")},
    {"upsampling.UpsamplingNearest2d", NULL, "size:i*? scale_factor:f*? mode:s=nearest align_corners:b?",
     UNARY(LAYERS "interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, None)")},
    {"upsampling.UpsamplingBilinear2d", NULL, "size:i*? scale_factor:f*? mode:s=bilinear align_corners:b?=1",
     UNARY(LAYERS "interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, None)")},

    {"sparse.Embedding", NULL, "weight:T padding_idx:i? max_norm:f? norm_type:f=2 scale_grad_by_freq:b=0 sparse:b=0",
     X "  index = -1\n"
       "  if self.padding_idx is not None:\n"
       "    index = self.padding_idx\n"
       "  if self.max_norm is not None:\n"
       "    torch.embedding_renorm_(self.weight, torch.contiguous(input), self.max_norm, self.norm_type)\n"
       "  return torch.embedding(self.weight, input, index, self.scale_grad_by_freq, self.sparse)\n"},
    {"sparse.EmbeddingBag", NULL,
     "weight:T padding_idx:i? max_norm:f? norm_type:f=2 scale_grad_by_freq:b=0 mode:s=mean sparse:b=0 include_last_offset:b=0",
     "def forward(self, input: Tensor, offsets: Optional[Tensor]=None, per_sample_weights: Optional[Tensor]=None) -> Tensor:\n"
     "  if self.max_norm is not None:\n"
     "    torch.embedding_renorm_(self.weight, input, self.max_norm, self.norm_type)\n"
     "  return " LAYERS "embedding_bag(self.weight, input, offsets, per_sample_weights, self.scale_grad_by_freq, self.mode, "
     "self.sparse, self.include_last_offset, self.padding_idx)\n"},

    {"distance.CosineSimilarity", NULL, "dim:i=1 eps:f=1e-08",
     "def forward(self, x1: Tensor, x2: Tensor) -> Tensor:\n  return torch.cosine_similarity(x1, x2, self.dim, self.eps)\n"},
    {"distance.PairwiseDistance", NULL, "norm:f=2 eps:f=1e-06 keepdim:b=0",
     "def forward(self, x1: Tensor, x2: Tensor) -> Tensor:\n  return torch.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)\n"},

    {"rnn.RNN", NULL, "", NULL}, /* written from the attributes (pickled_rnn.c) */
    {"rnn.LSTM", NULL, "", NULL},
    {"rnn.GRU", NULL, "", NULL},
    {"rnn.GRUCell", NULL, CELL("gru_cell", "", "")},
    {"rnn.RNNCell", NULL,
     "weight_ih:T weight_hh:T bias_ih:T? bias_hh:T? hidden_size:i nonlinearity:s=tanh",
      "def forward(self, input: Tensor, hx: Optional[Tensor]=None) -> Tensor:\n"
      "  x = " LAYERS "as_batch(input)\n"
      "  if hx is None:\n"
      "    h = torch.zeros([torch.size(x, 0), self.hidden_size], dtype=input.dtype)\n"
      "  else:\n"
      "    h = " LAYERS "as_batch(hx)\n"
      "  if self.nonlinearity == \"relu\":\n"
      "    out = torch.rnn_relu_cell(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)\n"
      "  else:\n"
      "    out = torch.rnn_tanh_cell(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)\n"
      "  if torch.dim(input) == 1:\n"
      "    out = torch.squeeze(out, 0)\n"
      "  return out\n"},
    {"rnn.LSTMCell", NULL, "weight_ih:T weight_hh:T bias_ih:T? bias_hh:T? hidden_size:i",
      "def forward(self, input: Tensor, hx: Optional[Tuple[Tensor, Tensor]]=None) -> Tuple[Tensor, Tensor]:\n"
      "  x = " LAYERS "as_batch(input)\n"
      "  if hx is None:\n"
      "    h = torch.zeros([torch.size(x, 0), self.hidden_size], dtype=input.dtype)\n"
      "    c = h\n"
      "  else:\n"
      "    h0, c0 = hx\n"
      "    h = " LAYERS "as_batch(h0)\n"
      "    c = " LAYERS "as_batch(c0)\n"
      "  h1, c1 = torch.lstm_cell(x, [h, c], self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)\n"
      "  if torch.dim(input) == 1:\n"
      "    h1 = torch.squeeze(h1, 0)\n"
      "    c1 = torch.squeeze(c1, 0)\n"
      "  return (h1, c1)\n"},

    {"transformer.TransformerEncoderLayer", NULL, "norm_first:b=0 activation:A=relu",
     "def forward(self, src: Tensor, src_mask: Optional[Tensor]=None, src_key_padding_mask: Optional[Tensor]=None, is_causal: bool=False) -> Tensor:\n"
     "  x = src\n"
     "  if self.norm_first:\n"
     "    n = (self.norm1).forward(x)\n"
     "    x = x + (self.dropout1).forward(((self.self_attn).forward(n, n, n, src_key_padding_mask, False, src_mask))[0])\n"
     "    x = x + (self.dropout2).forward((self.linear2).forward((self.dropout).forward($activation((self.linear1).forward((self.norm2).forward(x))))))\n"
     "  else:\n"
     "    x = (self.norm1).forward(x + (self.dropout1).forward(((self.self_attn).forward(x, x, x, src_key_padding_mask, False, src_mask))[0]))\n"
     "    x = (self.norm2).forward(x + (self.dropout2).forward((self.linear2).forward((self.dropout).forward($activation((self.linear1).forward(x))))))\n"
     "  return x\n"},
    {"transformer.TransformerDecoderLayer", NULL, "norm_first:b=0 activation:A=relu",
     "def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Optional[Tensor]=None, memory_mask: Optional[Tensor]=None, "
     "tgt_key_padding_mask: Optional[Tensor]=None, memory_key_padding_mask: Optional[Tensor]=None, tgt_is_causal: bool=False, memory_is_causal: bool=False) -> Tensor:\n"
     "  x = tgt\n"
     "  if self.norm_first:\n"
     "    n = (self.norm1).forward(x)\n"
     "    x = x + (self.dropout1).forward(((self.self_attn).forward(n, n, n, tgt_key_padding_mask, False, tgt_mask))[0])\n"
     "    x = x + (self.dropout2).forward(((self.multihead_attn).forward((self.norm2).forward(x), memory, memory, memory_key_padding_mask, False, memory_mask))[0])\n"
     "    x = x + (self.dropout3).forward((self.linear2).forward((self.dropout).forward($activation((self.linear1).forward((self.norm3).forward(x))))))\n"
     "  else:\n"
     "    x = (self.norm1).forward(x + (self.dropout1).forward(((self.self_attn).forward(x, x, x, tgt_key_padding_mask, False, tgt_mask))[0]))\n"
     "    x = (self.norm2).forward(x + (self.dropout2).forward(((self.multihead_attn).forward(x, memory, memory, memory_key_padding_mask, False, memory_mask))[0]))\n"
     "    x = (self.norm3).forward(x + (self.dropout3).forward((self.linear2).forward((self.dropout).forward($activation((self.linear1).forward(x))))))\n"
     "  return x\n"},
    {"transformer.TransformerEncoder", NULL, "", NULL}, /* their layers in order */
    {"transformer.TransformerDecoder", NULL, "", NULL},
    {"transformer.Transformer", NULL, "batch_first:b=0",
     "def forward(self, src: Tensor, tgt: Tensor, src_mask: Optional[Tensor]=None, tgt_mask: Optional[Tensor]=None, memory_mask: Optional[Tensor]=None, "
     "src_key_padding_mask: Optional[Tensor]=None, tgt_key_padding_mask: Optional[Tensor]=None, memory_key_padding_mask: Optional[Tensor]=None) -> Tensor:\n"
     "  memory = (self.encoder).forward(src, src_mask, src_key_padding_mask)\n"
     "  return (self.decoder).forward(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)\n"},

    {"loss.L1Loss", NULL, LOSS("", "torch.l1_loss(input, target, " REDUCTION ")")},
    {"loss.MSELoss", NULL, LOSS("", "torch.mse_loss(input, target, " REDUCTION ")")},
    {"loss.SmoothL1Loss", NULL, LOSS(" beta:f=1", "torch.smooth_l1_loss(input, target, " REDUCTION ", self.beta)")},
    {"loss.HuberLoss", NULL, LOSS(" delta:f=1", "torch.huber_loss(input, target, " REDUCTION ", self.delta)")},
    {"loss.BCELoss", NULL, LOSS(" weight:T?", "torch.binary_cross_entropy(input, target, self.weight, " REDUCTION ")")},
    {"loss.BCEWithLogitsLoss", NULL, LOSS(" weight:T? pos_weight:T?", "torch.binary_cross_entropy_with_logits(input, target, self.weight, self.pos_weight, " REDUCTION ")")},
    {"loss.CrossEntropyLoss", NULL, LOSS(" weight:T? ignore_index:i=-100 label_smoothing:f=0", "torch.cross_entropy_loss(input, target, self.weight, " REDUCTION ", self.ignore_index, self.label_smoothing)")},
    {"loss.NLLLoss", NULL, LOSS(" weight:T? ignore_index:i=-100", "torch.nll_loss_nd(input, target, self.weight, " REDUCTION ", self.ignore_index)")},
    {"loss.KLDivLoss", NULL, LOSS(" log_target:b=0", LAYERS "kl_div(input, target, self.reduction, self.log_target)")},
    {"loss.PoissonNLLLoss", NULL, LOSS(" log_input:b=1 full:b=0 eps:f=1e-08", "torch.poisson_nll_loss(input, target, self.log_input, self.full, self.eps, " REDUCTION ")")},
    {"loss.GaussianNLLLoss", NULL, LOSS3(" full:b=0 eps:f=1e-06", "input", "target", "var", LAYERS "gaussian_nll(input, target, var, self.full, self.eps, self.reduction)")},
    {"loss.SoftMarginLoss", NULL, LOSS("", "torch.soft_margin_loss(input, target, " REDUCTION ")")},
    {"loss.HingeEmbeddingLoss", NULL, LOSS(" margin:f=1", "torch.hinge_embedding_loss(input, target, self.margin, " REDUCTION ")")},
    {"loss.CosineEmbeddingLoss", NULL, LOSS3(" margin:f=0", "input1", "input2", "target", "torch.cosine_embedding_loss(input1, input2, target, self.margin, " REDUCTION ")")},
    {"loss.MarginRankingLoss", NULL, LOSS3(" margin:f=0", "input1", "input2", "target", "torch.margin_ranking_loss(input1, input2, target, self.margin, " REDUCTION ")")},
    {"loss.TripletMarginLoss", NULL, LOSS3(" margin:f=1 p:f=2 eps:f=1e-06 swap:b=0", "anchor", "positive", "negative",
                                           "torch.triplet_margin_loss(anchor, positive, negative, self.margin, self.p, self.eps, self.swap, " REDUCTION ")")},
    {"loss.MultiMarginLoss", NULL, LOSS(" weight:T? p:i=1 margin:f=1", "torch.multi_margin_loss(input, target, self.p, self.margin, self.weight, " REDUCTION ")")},
    {"loss.MultiLabelMarginLoss", NULL, LOSS("", "torch.multilabel_margin_loss(input, target, " REDUCTION ")")},
    {"loss.MultiLabelSoftMarginLoss", NULL, LOSS(" weight:T?", LAYERS "multilabel_soft_margin(input, target, self.weight, self.reduction)")},
    {"loss.CTCLoss", NULL,
     "reduction:s=mean blank:i=0 zero_infinity:b=0",
     "def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor) -> Tensor:\n"
     "  return torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, " REDUCTION ", self.zero_infinity)\n"},
    {NULL, NULL, NULL, NULL},
};
/* clang-format on */
