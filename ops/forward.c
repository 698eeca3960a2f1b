/* Rows that are other rows under another name: out= forms of kernels elsewhere, names that
 * only some of PyTorch's own passes write. */
#include "ops/native.h"

typedef struct target { const char *name, *overload; uint32_t nargs; /* 0: as many as the row; missing ones are None */ } target;

/* The target's results become the row's. */
TSR_KERNEL(forward) {
  const target *t = c->op->data;
  tsr_val args[40], rets[8];
  uint32_t n = t->nargs > 0 ? t->nargs : c->nargs;
  if (n > TSR_COUNT(args) || c->nrets > TSR_COUNT(rets)) return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "%s: too many arguments", c->op->schema);
  for (uint32_t i = 0; i < n; i++) args[i] = i < c->nargs ? c->args[i] : tsr_none();
  /* what PyTorch copies a fresh result into is not looked at before */
  const tsr_val *outs = (c->op->flags & TSR_OUT_PLAIN) == TSR_OUT_PLAIN ? NULL : c->outs;
  TSR_TRY(tsr_invoke_for(c->ctx, tsr_op_get(t->name, t->overload), args, n, rets, c->nrets, outs));
  for (uint32_t i = 0; i < c->nrets; i++) TSR_TRY(tsr_ret(c, i, rets[i]));
  return TSR_OK;
}

#define TO(name, overload) &(const target){"aten::" name, overload, 0}
#define OUT(schema, name, overload) {"aten::" schema, op_forward, TSR_OUT, TO(name, overload)}
#define OUT_SAME(schema, name, overload) {"aten::" schema, op_forward, TSR_OUT_SAME, TO(name, overload)}
#define OUT_NEW(schema, name, overload) {"aten::" schema, op_forward, TSR_OUT_NEW, TO(name, overload)}
#define SAME(schema, name, overload) {schema, op_forward, TSR_PURE, TO(name, overload)}
const tsr_op tsr_ops_forward[] = {
    OUT("_conv_depthwise2d.out(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias, SymInt[2] stride, SymInt[2] padding, SymInt[2] dilation, *, Tensor(a!) out) -> Tensor(a!)", "_conv_depthwise2d", ""),
    OUT_NEW("to_padded_tensor.out(Tensor self, float padding, SymInt[]? output_size=None, *, Tensor(a!) out) -> Tensor(a!)", "to_padded_tensor", ""),
    OUT_NEW("conv_depthwise3d.out(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias, SymInt[3] stride, SymInt[3] padding, SymInt[3] dilation, *, Tensor(a!) out) -> Tensor(a!)", "conv_depthwise3d", ""),
    OUT_NEW("_pack_padded_sequence.out(Tensor input, Tensor lengths, bool batch_first, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))", "_pack_padded_sequence", ""),
    OUT_NEW("int_repr.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", "int_repr", ""),
    OUT_NEW("q_per_channel_zero_points.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", "q_per_channel_zero_points", ""),
    OUT_NEW("q_per_channel_scales.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", "q_per_channel_scales", ""),
    OUT_NEW("_batch_norm_no_update.out(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, float momentum, float eps, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2, Tensor(d!) out3) -> (Tensor(a!), Tensor(b!), Tensor(c!), Tensor(d!))", "_batch_norm_no_update", ""),
    OUT_NEW("_pin_memory.out(Tensor self, Device? device=None, *, Tensor(a!) out) -> Tensor(a!)", "_pin_memory", ""),
    OUT_NEW("convolution_overrideable.out(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, *, Tensor(a!) out) -> Tensor(a!)", "convolution_overrideable", ""),
    OUT("_batch_norm_with_update.out(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum, float eps, *, Tensor(d!) out, Tensor(e!) save_mean, Tensor(f!) save_invstd, Tensor(g!) reserve) -> (Tensor(d!), Tensor(e!), Tensor(f!), Tensor(g!))", "_batch_norm_with_update", ""),
    OUT_NEW("_pdist_forward.out(Tensor self, float p=2., *, Tensor(a!) out) -> Tensor(a!)", "_pdist_forward", ""),
    OUT_NEW("_transformer_encoder_layer_fwd.out(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, float eps, Tensor norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, Tensor ffn_bias_1, Tensor ffn_weight_2, Tensor ffn_bias_2, Tensor? mask=None, int? mask_type=None, *, Tensor(a!) out) -> Tensor(a!)", "_transformer_encoder_layer_fwd", ""),
    OUT_NEW("dequantize.self_out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", "dequantize", "self"),
    OUT("linalg_pinv.atol_rtol_tensor_out(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, Tensor(a!) out) -> Tensor(a!)", "linalg_pinv", "atol_rtol_tensor"),
    OUT("linalg_pinv.atol_rtol_float_out(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False, Tensor(a!) out) -> Tensor(a!)", "linalg_pinv", "atol_rtol_float"),
    OUT("linalg_pinv.out(Tensor self, float rcond, bool hermitian=False, *, Tensor(a!) out) -> Tensor(a!)", "linalg_pinv", ""),
    OUT("linalg_pinv.out_rcond_tensor(Tensor self, Tensor rcond, bool hermitian=False, *, Tensor(a!) out) -> Tensor(a!)", "linalg_pinv", "rcond_tensor"),
    OUT_NEW("adaptive_avg_pool1d.out(Tensor self, int[1] output_size, *, Tensor(a!) out) -> Tensor(a!)", "adaptive_avg_pool1d", ""),
    OUT_NEW("avg_pool1d.out(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, bool count_include_pad=True, *, Tensor(a!) out) -> Tensor(a!)", "avg_pool1d", ""),
    OUT_SAME("triangular_solve.X(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, Tensor(a!) X, Tensor(b!) M) -> (Tensor(a!) solution, Tensor(b!) cloned_coefficient)", "triangular_solve", ""),
    OUT_NEW("_grid_sampler_2d_cpu_fallback.out(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners, *, Tensor(a!) out) -> Tensor(a!)", "_grid_sampler_2d_cpu_fallback", ""),
    OUT_SAME("_addmm_activation.out(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1, bool use_gelu=False, Tensor(a!) out) -> Tensor(a!)", "_addmm_activation", ""),
    OUT("linalg_matrix_rank.atol_rtol_tensor_out(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, Tensor(a!) out) -> Tensor(a!)", "linalg_matrix_rank", "atol_rtol_tensor"),
    OUT("linalg_matrix_rank.atol_rtol_float_out(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False, Tensor(a!) out) -> Tensor(a!)", "linalg_matrix_rank", "atol_rtol_float"),
    OUT("linalg_matrix_rank.out(Tensor self, float tol, bool hermitian=False, *, Tensor(a!) out) -> Tensor(a!)", "linalg_matrix_rank", ""),
    OUT("linalg_matrix_rank.out_tol_tensor(Tensor input, Tensor tol, bool hermitian=False, *, Tensor(a!) out) -> Tensor(a!)", "linalg_matrix_rank", "tol_tensor"),
    OUT_NEW("_nested_tensor_from_mask.out(Tensor t, Tensor mask, bool mask_check=True, *, Tensor(a!) out) -> Tensor(a!)", "_nested_tensor_from_mask", ""),
    OUT_NEW("_convolution.out(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32, *, Tensor(a!) out) -> Tensor(a!)", "_convolution", ""),
    OUT_SAME("_linalg_solve_ex.result(Tensor A, Tensor B, *, bool left=True, bool check_errors=False, Tensor(a!) result, Tensor(b!) LU, Tensor(c!) pivots, Tensor(d!) info) -> (Tensor(a!) result, Tensor(b!) LU, Tensor(c!) pivots, Tensor(d!) info)", "_linalg_solve_ex", ""),
    OUT_NEW("native_layer_norm.out(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))", "native_layer_norm", ""),
    OUT_NEW("_native_multi_head_attention.out(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, bool need_weights=True, bool average_attn_weights=True, int? mask_type=None, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))", "_native_multi_head_attention", ""),
    OUT_NEW("native_group_norm.out(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, float eps, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))", "native_group_norm", ""),
    OUT("bmm.dtype_out(Tensor self, Tensor mat2, ScalarType out_dtype, *, Tensor(a!) out) -> Tensor(a!)", "bmm", "dtype"),
    OUT_NEW("_cdist_forward.out(Tensor x1, Tensor x2, float p, int? compute_mode, *, Tensor(a!) out) -> Tensor(a!)", "_cdist_forward", ""),
    OUT("mm.dtype_out(Tensor self, Tensor mat2, ScalarType out_dtype, *, Tensor(a!) out) -> Tensor(a!)", "mm", "dtype"),
    OUT_NEW("convolution.out(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, *, Tensor(a!) out) -> Tensor(a!)", "convolution", ""),
    OUT_SAME("_linalg_slogdet.sign(Tensor A, *, Tensor(a!) sign, Tensor(b!) logabsdet, Tensor(c!) LU, Tensor(d!) pivots) -> (Tensor(a!) sign, Tensor(b!) logabsdet, Tensor(c!) LU, Tensor(d!) pivots)", "_linalg_slogdet", ""),
    OUT_NEW("_native_batch_norm_legit_no_training.out(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps, *, Tensor(a!) out0, Tensor(b!) out1, Tensor(c!) out2) -> (Tensor(a!), Tensor(b!), Tensor(c!))", "_native_batch_norm_legit_no_training", ""),
    OUT_SAME("linalg_ldl_factor.out(Tensor self, *, bool hermitian=False, Tensor(a!) LD, Tensor(b!) pivots) -> (Tensor(a!) LD, Tensor(b!) pivots)", "linalg_ldl_factor", ""),
    OUT_SAME("linalg_ldl_factor_ex.out(Tensor self, *, bool hermitian=False, bool check_errors=False, Tensor(a!) LD, Tensor(b!) pivots, Tensor(c!) info) -> (Tensor(a!) LD, Tensor(b!) pivots, Tensor(c!) info)", "linalg_ldl_factor_ex", ""),
    OUT_SAME("_linalg_det.result(Tensor A, *, Tensor(a!) result, Tensor(b!) LU, Tensor(c!) pivots) -> (Tensor(a!) result, Tensor(b!) LU, Tensor(c!) pivots)", "_linalg_det", ""),
    OUT_NEW("_adaptive_avg_pool2d.out(Tensor self, SymInt[2] output_size, *, Tensor(a!) out) -> Tensor(a!)", "_adaptive_avg_pool2d", ""),
    OUT_NEW("_adaptive_avg_pool3d.out(Tensor self, SymInt[3] output_size, *, Tensor(a!) out) -> Tensor(a!)", "_adaptive_avg_pool3d", ""),
    OUT_SAME("_linalg_eigh.eigenvalues(Tensor A, str UPLO=\"L\", bool compute_v=True, *, Tensor(a!) eigenvalues, Tensor(b!) eigenvectors) -> (Tensor(a!) eigenvalues, Tensor(b!) eigenvectors)", "_linalg_eigh", ""),
    OUT_SAME("_linalg_svd.U(Tensor A, bool full_matrices=False, bool compute_uv=True, *, str? driver=None, Tensor(a!) U, Tensor(b!) S, Tensor(c!) Vh) -> (Tensor(a!) U, Tensor(b!) S, Tensor(c!) Vh)", "_linalg_svd", ""),
    SAME("prim::abs(Tensor x) -> Tensor", "abs", ""),
    SAME("aten::quantized_max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> Tensor", "max_pool1d", ""),
    SAME("aten::quantized_max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=[0, 0], int[2] dilation=[1, 1], bool ceil_mode=False) -> Tensor", "max_pool2d", ""),
    SAME("aten::quantized_max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=[0, 0, 0], int[3] dilation=[1, 1, 1], bool ceil_mode=False) -> Tensor", "max_pool3d", ""),
    OUT("_add_relu.Scalar_out(Tensor self, Scalar other, Scalar alpha=1, *, Tensor(a!) out) -> Tensor(a!)", "_add_relu", "Scalar"),
    OUT("_cholesky_solve_helper.out(Tensor self, Tensor A, bool upper, *, Tensor(a!) out) -> Tensor(a!)", "_cholesky_solve_helper", ""),
    {0},
};
