/* What PyTorch's operator list holds and tsrun does not, with the reason.  A pattern is a name up to an optional '*' at
 * either end; the first row that matches counts.  Names that are implemented are never looked up here. */
#include "ops/absent.h"

#include <string.h>

#define GRADIENTS "computes gradients, or serves training"
#define DEVICES "belongs to another device or its libraries"
#define MACHINES "talks to other processes or machines"
#define FILES "touches files"
#define COMPILER "PyTorch's own compilers write it while they run; archives never hold it"
#define TESTS "part of PyTorch's own tests"
#define SPARSE "sparse tensors of blocks or batches, checks and resizing of sparse tensors, their out= forms"
#define NESTED "nested tensors: only what the transformer layers need"
#define MKLDNN "tensors in oneDNN's own layout: archives cannot store them"
#define STORAGE "takes a storage object, which no program can name"
#define WEIGHTS "weights packed in a private layout of one processor"
#define DIRECTIONS "needs a table of two megabytes; models bring the states that it makes along"
#define QUANT_OUT "an out argument that is a quantized tensor"
#define UNSET "makes a quantized tensor whose contents nobody has set"
#define PACKED_OUT "an out argument of layers whose weights are packed by the model itself"
#define PLACEHOLDER "PyTorch has no CPU kernel for it"
#define STEP "a step inside of other operators, which are there"
#define OTHER "not implemented"

static const tsr_absent rows[] = {
    {"aten::save", FILES}, {"aten::from_file*", FILES}, {"debugprims::*", FILES},
    {"c10d::*", MACHINES}, {"_c10d_functional*", MACHINES}, {"symm_mem::*", MACHINES}, {"_dtensor::*", MACHINES}, {"prim::rpc_*", MACHINES},
    {"aten::confirmed_by_owner", MACHINES}, {"aten::is_owner", MACHINES}, {"aten::local_value", MACHINES}, {"aten::owner*", MACHINES}, {"aten::to_here*", MACHINES},
    {"*backward*", GRADIENTS}, {"aten::grad", GRADIENTS}, {"aten::get_gradients", GRADIENTS}, {"*_jvp*", GRADIENTS}, {"*_grad", GRADIENTS}, {"*_grad.out", GRADIENTS},
    {"aten::_fused_ada*", GRADIENTS}, {"aten::_fused_sgd*", GRADIENTS}, {"aten::_amp_*", GRADIENTS}, {"aten::_make_dual*", GRADIENTS}, {"aten::_unpack_dual*", GRADIENTS},
    {"aten::_fw_primal*", GRADIENTS}, {"aten::_grad_sum_to_size", GRADIENTS}, {"prim::Autograd*", GRADIENTS},
    {"aten::_fused_moving_avg_obs_fq_helper_functional", GRADIENTS}, {"aten::rrelu_with_noise_functional", GRADIENTS}, {"aten::batch_norm_*", DEVICES},
    {"aten::_new_zeros_with_same_feature_meta*", GRADIENTS}, {"aten::*dropout_mask*", GRADIENTS}, {"aten::_fused_dropout*", DEVICES}, {"aten::_masked_scale*", DEVICES},
    {"*cudnn*", DEVICES}, {"*cufft*", DEVICES}, {"*cuda*", DEVICES}, {"*miopen*", DEVICES}, {"*_mps*", DEVICES}, {"aten::_cslt_*", DEVICES}, {"*semi_structured*", DEVICES}, {"*nnpack*", DEVICES},
    {"*triton*", DEVICES}, {"aten::*flash_attention*", DEVICES}, {"aten::*efficient_attention*", DEVICES}, {"aten::*fused_attention*", DEVICES}, {"aten::_fused_sdp_choice", DEVICES},
    {"aten::record_stream", DEVICES}, {"aten::_propagate_xla_data", DEVICES}, {"aten::_pin_memory*", DEVICES}, {"aten::_thnn_fused_*", DEVICES}, {"aten::_philox_*", DEVICES}, {"aten::_has_compatible_shallow_copy_type", DEVICES},
    {"prims::*", COMPILER}, {"inductor*", COMPILER}, {"rngprims::*", COMPILER}, {"export::*", COMPILER}, {"debug_mode_ops::*", COMPILER}, {"static_runtime::*", COMPILER}, {"onednn::*", COMPILER}, {"mkl::*", COMPILER},
    {"mkldnn::*", COMPILER}, {"_quantized::*", COMPILER}, {"_native::*", COMPILER}, {"quantization::*", COMPILER}, {"onnx::*", COMPILER}, {"aten::_functional_*", COMPILER}, {"aten::_make_dep_token", COMPILER}, {"aten::_assert_*", COMPILER}, {"aten::_lazy_clone", COMPILER},
    {"aten::_add_batch_dim", COMPILER}, {"aten::_remove_batch_dim", COMPILER}, {"aten::slice_inverse", COMPILER}, {"quantized::int4mm_packed_weight_cpu", COMPILER}, {"profiler::*", COMPILER},
    {"prim::MKLDNN*", MKLDNN}, {"prim::*MKLDNN*", MKLDNN}, {"prim::mkldnn_*", MKLDNN}, {"prim::*", COMPILER},
    {"_test::*", TESTS}, {"aten::_test_*", TESTS}, {"aten::_foobar*", TESTS},
    {"aten::set*", STORAGE},
    {"*mkldnn*", MKLDNN},
    {"*nested*", NESTED}, {"aten::*jagged*", NESTED},
    {"*sparse*", SPARSE}, {"aten::*coalesced*", SPARSE}, {"aten::*_indices*", SPARSE}, {"aten::*values_copy*", SPARSE}, {"aten::_dimI", SPARSE}, {"aten::_dimV", SPARSE}, {"aten::*smm*", SPARSE}, {"aten::sspaddmm*", SPARSE},
    {"aten::hspmm*", SPARSE}, {"aten::_spdiags*", SPARSE}, {"aten::_spsolve", SPARSE}, {"aten::_indices_copy*", SPARSE}, {"aten::indices_copy*", SPARSE}, {"aten::*_coo_*", SPARSE}, {"aten::*_csr*", SPARSE},
    {"aten::*int4pack*", WEIGHTS}, {"aten::*int8pack*", WEIGHTS}, {"aten::_dyn_quant_*", WEIGHTS}, {"aten::_wrapped_*", WEIGHTS}, {"aten::_mixed_dtypes_linear", WEIGHTS}, {"aten::*grouped_mm*", WEIGHTS}, {"aten::_scaled_mm*", WEIGHTS},
    {"quantized::linear_*legacy*", WEIGHTS}, {"quantized::linear_unpack*", WEIGHTS},
    {"aten::_sobol_engine_initialize_state_", DIRECTIONS},
    {"aten::quantize_per_*out", QUANT_OUT}, {"aten::quantized_*out", QUANT_OUT}, {"aten::_make_per_*out", QUANT_OUT}, {"aten::dequantize.*out", QUANT_OUT}, {"aten::*empty*quantized*", UNSET},
    {"aten::*fake_quantize_*out", GRADIENTS}, {"aten::_fused_moving_avg_*out", GRADIENTS}, {"aten::fbgemm_linear_fp16_weight*.out", PACKED_OUT},
    {"aten::addmm.dtype*", PLACEHOLDER}, {"aten::baddbmm.dtype*", PLACEHOLDER}, {"aten::_copy_from*", PLACEHOLDER}, {"aten::_resize_output*", STEP},
    {"aten::_compute_linear_combination*", STEP}, {"aten::_cummax_helper", STEP}, {"aten::_cummin_helper", STEP},
    {"aten::_transform_bias_rescale_qkv*", STEP}, {"aten::_conj_copy*", STEP}, {"aten::_pack_sequence", STEP},
    {"aten::_ncf_*", COMPILER}, {"aten::dequantize.any", STEP}, {"aten::_rowwise_prune", GRADIENTS}, {"quantized::conv2d_unpack_sizes", STEP},
    {"*", OTHER},
};

/* Does text match a pattern with '*' anywhere? */
static bool matches(const char *pattern, const char *text, size_t n) {
  size_t literal = strcspn(pattern, "*");
  if (n < literal || memcmp(pattern, text, literal) != 0) return false;
  if (pattern[literal] == 0) return literal == n;
  const char *rest = pattern + literal + 1;
  for (size_t skip = literal; skip <= n; skip++)
    if (matches(rest, text + skip, n - skip)) return true;
  return false;
}

const char *tsr_absent_reason(const char *name, size_t len) {
  for (size_t i = 0; i < TSR_COUNT(rows); i++)
    if (matches(rows[i].pattern, name, len)) return rows[i].reason;
  return OTHER;
}

const tsr_absent *tsr_absent_rows(size_t *n) {
  *n = TSR_COUNT(rows) - 1; /* the last row stands for what nobody has looked at */
  return rows;
}
