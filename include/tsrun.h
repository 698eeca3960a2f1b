/* tsrun: run TorchScript archives without Python and without libtorch.
 *
 * The whole public API.  Conventions:
 *   - every function that can fail returns a tsr_status; details go to *err when err is not NULL
 *     (free it with tsr_error_free; *err is written only on failure);
 *   - "borrow": the pointer stays owned by the object it came from and dies with it;
 *     "own": the caller must release it with the function named in the comment;
 *   - sizes of tensors are counts of elements, strides are in elements, lengths of buffers in bytes,
 *     times in seconds unless the name says otherwise;
 *   - a tsr_model is immutable after loading and may be shared by any number of threads;
 *     a tsr_session and the values made with it belong to one thread at a time.
 */
#ifndef TSRUN_H
#define TSRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TSR_API __attribute__((visibility("default")))
#else
#define TSR_API
#endif

#define TSRUN_VERSION "0.1.0"

/* ---- errors -------------------------------------------------------------------------------- */

typedef enum tsr_status {
  TSR_OK = 0,
  TSR_ERAISED = 1,      /* the model raised, or an operator refused its operands */
  TSR_EUSAGE = 2,       /* wrong call, wrong argument, unknown method */
  TSR_EUNSUPPORTED = 3, /* an operator or feature tsrun does not have */
  TSR_EFORMAT = 4,      /* the file is damaged, hostile or of another kind */
  TSR_ELIMIT = 5,       /* a limit set by the caller or by tsrun was reached, or time ran out */
  TSR_EIO = 6,          /* the operating system refused to read or write */
  TSR_ENOMEM = 7,       /* out of memory */
  TSR_ECANCELLED = 8,   /* tsr_session_cancel was called */
  TSR_EINTERNAL = 9     /* a defect of tsrun */
} tsr_status;

typedef struct tsr_error tsr_error;

TSR_API const char *tsr_version(void);                        /* borrow, static */
TSR_API const char *tsr_status_name(tsr_status status);       /* borrow, static: "bad file", … */
TSR_API tsr_status tsr_error_status(const tsr_error *err);
TSR_API const char *tsr_error_message(const tsr_error *err);  /* borrow: one line */
TSR_API const char *tsr_error_traceback(const tsr_error *err);/* borrow: "" or the two-part TorchScript traceback */
TSR_API void tsr_error_free(tsr_error *err);                  /* NULL is allowed */

/* ---- values -------------------------------------------------------------------------------- */

typedef struct tsr_value tsr_value; /* reference counted; tsr_value_free drops one reference */

typedef enum tsr_kind {
  TSR_KIND_NONE, TSR_KIND_BOOL, TSR_KIND_INT, TSR_KIND_FLOAT, TSR_KIND_COMPLEX, TSR_KIND_STR,
  TSR_KIND_TENSOR, TSR_KIND_LIST, TSR_KIND_TUPLE, TSR_KIND_DICT, TSR_KIND_OBJECT, TSR_KIND_DEVICE,
  TSR_KIND_ENUM, TSR_KIND_OTHER
} tsr_kind;

/* PyTorch's ScalarType codes. */
typedef enum tsr_dtype {
  TSR_UINT8 = 0, TSR_INT8 = 1, TSR_INT16 = 2, TSR_INT32 = 3, TSR_INT64 = 4, TSR_FLOAT16 = 5,
  TSR_FLOAT32 = 6, TSR_FLOAT64 = 7, TSR_COMPLEX32 = 8, TSR_COMPLEX64 = 9, TSR_COMPLEX128 = 10,
  TSR_BOOL = 11, TSR_QINT8 = 12, TSR_QUINT8 = 13, TSR_QINT32 = 14, TSR_BFLOAT16 = 15,
  TSR_QUINT4X2 = 16, TSR_QUINT2X4 = 17, /* in memory each element has a byte of its own */
  TSR_BITS1X8 = 18, TSR_BITS2X4 = 19, TSR_BITS4X2 = 20, TSR_BITS8 = 21, TSR_BITS16 = 22,
  TSR_FLOAT8_E5M2 = 23, TSR_FLOAT8_E4M3FN = 24, TSR_FLOAT8_E5M2FNUZ = 25, TSR_FLOAT8_E4M3FNUZ = 26,
  TSR_UINT16 = 27, TSR_UINT32 = 28, TSR_UINT64 = 29, TSR_FLOAT8_E8M0FNU = 44, TSR_FLOAT4_E2M1FN_X2 = 45
} tsr_dtype;

TSR_API const char *tsr_dtype_name(tsr_dtype dtype); /* borrow, static: "float32"; NULL if unknown */
TSR_API size_t tsr_dtype_size(tsr_dtype dtype);      /* bytes an element; 0 if unknown */

TSR_API void tsr_value_free(tsr_value *v);           /* NULL is allowed */
TSR_API tsr_value *tsr_value_ref(tsr_value *v);      /* own: another reference to the same value */
TSR_API tsr_kind tsr_value_kind(const tsr_value *v);

/* Constructors: own, NULL when out of memory. */
TSR_API tsr_value *tsr_value_none(void);
TSR_API tsr_value *tsr_value_bool(bool b);
TSR_API tsr_value *tsr_value_int(int64_t i);
TSR_API tsr_value *tsr_value_float(double d);
TSR_API tsr_value *tsr_value_complex(double re, double im);
TSR_API tsr_value *tsr_value_str(const char *bytes, size_t len);
/* A tensor that copies data (C order when strides is NULL).  data may be NULL for zeros. */
TSR_API tsr_value *tsr_value_tensor(tsr_dtype dtype, int ndim, const int64_t *sizes,
                                    const int64_t *strides, const void *data);
/* A tensor that borrows data until release(user, data) is called; release may be NULL.  The model
 * never writes to it: an in-place operator copies first. */
TSR_API tsr_value *tsr_value_tensor_borrow(tsr_dtype dtype, int ndim, const int64_t *sizes,
                                           const int64_t *strides, const void *data,
                                           void (*release)(void *user, const void *data), void *user);
/* Containers: items are borrowed and referenced by the new value. */
TSR_API tsr_value *tsr_value_list(tsr_value *const *items, size_t count);
TSR_API tsr_value *tsr_value_tuple(tsr_value *const *items, size_t count);
TSR_API tsr_value *tsr_value_dict(tsr_value *const *keys, tsr_value *const *values, size_t count);

/* Readers: the caller has checked the kind (else 0, NULL or false comes back). */
TSR_API bool tsr_value_get_bool(const tsr_value *v);
TSR_API int64_t tsr_value_get_int(const tsr_value *v);
TSR_API double tsr_value_get_float(const tsr_value *v);
TSR_API void tsr_value_get_complex(const tsr_value *v, double *re, double *im);
TSR_API const char *tsr_value_get_str(const tsr_value *v, size_t *len); /* borrow, NUL-terminated */
TSR_API size_t tsr_value_count(const tsr_value *v);  /* items of a list, tuple, dict; attributes of an object */
TSR_API tsr_value *tsr_value_item(const tsr_value *v, size_t index); /* own: list, tuple: item; dict: value; object: attribute */
TSR_API tsr_value *tsr_value_key(const tsr_value *v, size_t index);  /* own: dict: key; object: attribute name; named tuple: field name; else NULL */
TSR_API const char *tsr_value_type_name(const tsr_value *v);         /* borrow: "Tensor", "int", class name, … */

/* Tensors. */
TSR_API tsr_dtype tsr_tensor_dtype(const tsr_value *v);
TSR_API int tsr_tensor_ndim(const tsr_value *v);
TSR_API const int64_t *tsr_tensor_sizes(const tsr_value *v);   /* borrow */
TSR_API const int64_t *tsr_tensor_strides(const tsr_value *v); /* borrow */
TSR_API int64_t tsr_tensor_numel(const tsr_value *v);
TSR_API const void *tsr_tensor_data(const tsr_value *v);       /* borrow: first element, read only */
TSR_API tsr_value *tsr_tensor_contiguous(const tsr_value *v);  /* own: itself when already in C order */

/* Files of values by extension: .npy .npz .pt .safetensors .json (JSON is written only).  "-" is
 * stdin or stdout, then format ("npy", …) is needed; NULL takes it from the extension or the first
 * bytes.  Writing is atomic: the file is whole or absent. */
TSR_API tsr_status tsr_value_load(const char *path, const char *format, tsr_value **out, tsr_error **err);
TSR_API tsr_status tsr_value_save(const tsr_value *v, const char *path, const char *format, tsr_error **err);
/* JSON text to None, bool, int, float, str, list, dict. */
TSR_API tsr_status tsr_value_parse_json(const char *text, size_t len, tsr_value **out, tsr_error **err);
/* Largest differences between two values of the same structure; equal is set by |a-b| <= atol + rtol*|b|
 * for floating tensors and numbers, exactly for the rest.  report: own, free with tsr_string_free; "" when equal. */
TSR_API tsr_status tsr_value_compare(const tsr_value *got, const tsr_value *expected, double rtol, double atol,
                                     bool *equal, double *max_abs, char **report, tsr_error **err);

/* ---- models -------------------------------------------------------------------------------- */

typedef struct tsr_model tsr_model;

typedef struct tsr_weights tsr_weights; /* named tensors of a file: below */

/* How options are given: every structure of options begins with its size, and zero is the default of everything else:
 *   tsr_load_options opt = {.struct_size = sizeof opt};     is what NULL is. */
#define TSR_OPT_NONE (-1) /* opt_level: operator by operator as written, for comparing; several times slower */

typedef struct tsr_load_options {
  size_t struct_size;      /* sizeof(tsr_load_options) */
  int opt_level;           /* 0 or more: everything that makes it faster; TSR_OPT_NONE: nothing */
  bool no_mmap;            /* read the file instead of mapping it */
  uint64_t max_memory;     /* bytes, 0: no limit; weights that stay mapped are not counted */
  int threads;             /* workers of the model's pool, 0: affinity, cgroup quota, physical cores */
  bool allow_missing_ops;  /* load although operators are missing; reaching one is TSR_EUNSUPPORTED */
  bool lazy;               /* compile and pack weights when a method first runs, not now */
  const char *method;      /* the method to compile and pack for now; NULL: "forward", or the only one */
  bool no_winograd;        /* 3x3 convolutions by direct summation: smaller packed weights, slower */
  const char *disable_passes; /* names of tsr_pass_name, separated by commas: optimisations to leave out; or NULL */
  /* Parameters and buffers from another file, before anything is packed or folded: as load_state_dict(strict=True)
   * does, with its messages (of several lines) as TSR_EFORMAT.  weights may be freed after loading. */
  const tsr_weights *weights;        /* NULL: those of the archive */
  bool weights_no_strict;            /* missing and unexpected names are told, not refused */
  bool weights_ignore_mismatched_sizes; /* tensors of another shape are told, not refused */
  void (*note)(void *user, const char *line); /* what is told; may be NULL */
  void *note_user;
  bool strict_device;      /* refuse tensors and code of other devices; otherwise all of them are taken for the CPU */
  bool eval;               /* as model.eval() does: every module leaves training mode */
  /* A folder for prepared weights; NULL: none.  The first load of an archive writes a file there, the following ones map it:
   * faster, and most weights are pages that the system shares between processes and may drop.  The folder is made when
   * only it is missing; it must not be writable by other users.  A file of another archive, version of tsrun or
   * processor, or a damaged one, is not used; what is wrong goes to note, and loading goes on without.  Weights that
   * are not the mapped archive's own are never cached. */
  const char *cache_dir;
  uint64_t cache_limit;    /* bytes of all files in it, 0: 16 GiB; those used longest ago are removed */
} tsr_load_options;

/* Load an archive of torch.jit.save, or a module that torch.save pickled when it consists of torch.nn layers whose
 * order is their meaning (its code is not in the file: else TSR_EUNSUPPORTED names the class).  own: tsr_model_free.
 * A file of another kind fails with TSR_EFORMAT and a message that names the kind and what to do. */
/* Path "-" is the standard input, here and in the functions that look into files. */
TSR_API tsr_status tsr_model_load(const char *path, const tsr_load_options *opt, tsr_model **out, tsr_error **err);
/* data stays borrowed until the model is freed. */
TSR_API tsr_status tsr_model_load_memory(const void *data, size_t len, const tsr_load_options *opt, tsr_model **out, tsr_error **err);
/* fd is duplicated; the caller may close it. */
TSR_API tsr_status tsr_model_load_fd(int fd, const tsr_load_options *opt, tsr_model **out, tsr_error **err);
TSR_API void tsr_model_free(tsr_model *m); /* sessions keep what they need alive; NULL is allowed */

TSR_API size_t tsr_model_method_count(const tsr_model *m);
TSR_API const char *tsr_model_method_name(const tsr_model *m, size_t index); /* borrow */
/* "(Tensor x, int n=3) -> Tensor": borrow; NULL when there is no such method. */
TSR_API const char *tsr_model_method_signature(tsr_model *m, const char *method);
TSR_API size_t tsr_model_method_arg_count(tsr_model *m, const char *method); /* without self */
TSR_API const char *tsr_model_method_arg_name(tsr_model *m, const char *method, size_t index);
TSR_API const char *tsr_model_method_arg_type(tsr_model *m, const char *method, size_t index);
TSR_API bool tsr_model_method_arg_has_default(tsr_model *m, const char *method, size_t index);
/* What loading did. */
typedef struct tsr_load_stats {
  size_t struct_size;      /* sizeof(tsr_load_stats), set by the caller */
  double read_seconds;     /* the archive, its values, its code */
  double compile_seconds;  /* optimising and emitting bytecode */
  double pack_seconds;     /* weights into the kernels' layouts */
  uint64_t packed_bytes;   /* of weights packed so far, also by runs */
  uint64_t freed_bytes;    /* of weights that optimising made and packing replaced */
  uint64_t cached_bytes;   /* of packed_bytes, in the file of cache_dir */
} tsr_load_stats;
TSR_API void tsr_model_load_stats(const tsr_model *m, tsr_load_stats *out);
TSR_API int tsr_model_threads(const tsr_model *m);         /* workers of its pool, the caller included */
TSR_API bool tsr_model_is_training(const tsr_model *m); /* some module was saved in training mode */

/* ---- sessions ------------------------------------------------------------------------------ */

typedef struct tsr_session tsr_session;

typedef struct tsr_session_options {
  size_t struct_size;    /* sizeof(tsr_session_options) */
  uint64_t max_memory;   /* bytes for values of this session, 0: no limit */
  uint64_t max_steps;    /* instructions plus a 1,024th of the elements operators touch, 0: no limit */
  double timeout;        /* seconds a run may take, 0: no limit */
  int threads;           /* at most this many of the model's workers, 0: all */
  bool has_seed;         /* start the generator from seed; else from 67280421310721, as PyTorch does */
  uint64_t seed;
  void (*print)(void *user, const char *text, size_t len); /* print() of the model; NULL: stdout */
  void (*warn)(void *user, const char *text, size_t len);  /* warnings; NULL: stderr */
  void *user;
} tsr_session_options;

TSR_API tsr_status tsr_session_new(tsr_model *m, const tsr_session_options *opt, tsr_session **out, tsr_error **err);
TSR_API void tsr_session_free(tsr_session *s); /* NULL is allowed */
/* Run a method; NULL calls the module: forward between its hooks.  args are borrowed, missing trailing ones take their defaults.
 * *out: own.  Names: NULL, or one for each argument with NULL for positional ones. */
TSR_API tsr_status tsr_session_run(tsr_session *s, const char *method, tsr_value *const *args, const char *const *names,
                                   size_t count, tsr_value **out, tsr_error **err);
TSR_API tsr_status tsr_session_reset(tsr_session *s, tsr_error **err); /* attributes as in the file, seed as given */
TSR_API void tsr_session_cancel(tsr_session *s); /* any thread, or a signal handler */
TSR_API uint64_t tsr_session_memory(const tsr_session *s, uint64_t *peak); /* bytes in use now; *peak: the most so far */

/* What an operator did, told when it has run; the strings live during the call only.  Numbers and branches that the
 * machine handles itself are not told: they are the rest of a run's time. */
typedef struct tsr_profile_event {
  size_t struct_size;      /* sizeof(tsr_profile_event) of the library */
  const char *op;          /* "aten::add.Tensor", "tsr::conv_act" */
  const char *module;      /* "layer1.0.conv1", "" for the model itself */
  const char *file;        /* the user's source where the archive names it, else the archive's; "" when unknown */
  int line;                /* 1-based, 0 when unknown */
  double start, seconds;   /* start: of a clock that only goes forward */
  double flops, bytes;     /* a multiply-add is two; bytes of operands and results; views have none */
  uint64_t memory;         /* bytes of values in use afterwards */
} tsr_profile_event;
typedef void (*tsr_profile_fn)(void *user, const tsr_profile_event *event);
TSR_API void tsr_session_profile(tsr_session *s, tsr_profile_fn fn, void *user); /* fn NULL: off */

/* What the machine can do at most with this model's threads, measured now (about a quarter of a second): float32
 * operations and bytes from main memory a second. */
TSR_API tsr_status tsr_model_measure_machine(tsr_model *m, double *flops, double *bandwidth);

/* ---- weights ------------------------------------------------------------------------------- */

/* Named tensors, in order, of any file that holds some: .pt/.pth/.bin/.ckpt of torch.save of any age (state dicts,
 * checkpoints, pickled modules: nothing is executed), TorchScript archives, .safetensors, .npz, index files of sharded
 * checkpoints, folders of Hugging Face.  Opening reads names and shapes; bytes are mapped and read when asked for. */

typedef struct tsr_weights_options {
  size_t struct_size;
  const char *strip_prefix;      /* taken off the names that begin with it */
  const char *const *renames;    /* "REGEX=REPLACEMENT" (as Python's re; \1 and & as in sed), one after the other */
  size_t rename_count;
  const char *add_prefix;        /* put before every name */
} tsr_weights_options;

typedef struct tsr_weight_info {
  const char *name;              /* borrow */
  const char *other;             /* NULL, or the Python type of a value that is no tensor: nothing else is set then */
  tsr_dtype dtype;
  int ndim;
  const int64_t *sizes, *strides;/* borrow */
  int64_t numel;
  uint64_t nbytes;               /* of its elements */
  const char *device;            /* borrow: where it was saved, "cpu", "cuda:1", "meta" */
  const char *layout;            /* "strided", "sparse_coo", ... */
  bool has_data;                 /* false: saved on the meta device, there are no bytes */
  bool requires_grad;
  bool is_parameter, is_buffer;  /* as far as the file tells */
  size_t first;                  /* index of the first weight with the same storage; its own index if it is that */
} tsr_weight_info;

/* where: FILE or FILE:KEY.  KEY: the way to a state dict in a checkpoint ("model_state_dict", "a.b"), a part of one
 * ("layer1"), or the name of one tensor.  Without it the only state dict there is; of several the message lists them. */
TSR_API tsr_status tsr_weights_open(const char *where, const tsr_weights_options *opt, tsr_weights **out, tsr_error **err);
TSR_API void tsr_weights_free(tsr_weights *w); /* NULL is allowed */
TSR_API const char *tsr_weights_key(const tsr_weights *w); /* borrow: the key that was found or given; "" for the whole */
TSR_API bool tsr_weights_is_archive(const tsr_weights *w); /* they are the state dict of a TorchScript archive */
TSR_API size_t tsr_weights_count(const tsr_weights *w);
TSR_API bool tsr_weights_find(const tsr_weights *w, const char *name, size_t len, size_t *index);
TSR_API bool tsr_weights_info(const tsr_weights *w, size_t index, tsr_weight_info *out); /* false: no such weight */
/* own: the tensor, mapped where it can be. */
TSR_API tsr_status tsr_weights_get(const tsr_weights *w, size_t index, tsr_value **out, tsr_error **err);
/* The pages of a weight that was looked at may leave memory. */
TSR_API void tsr_weights_forget(const tsr_weights *w, size_t index);
/* Write all of them: .safetensors, .npz, .pt (format NULL: by the extension), one tensor after the other; whole or
 * absent.  note is told what the format cannot keep. */
TSR_API tsr_status tsr_weights_save(const tsr_weights *w, const char *path, const char *format,
                                    void (*note)(void *user, const char *line), void *user, tsr_error **err);
/* A copy of the archive with its weights replaced, everything else byte for byte; opt: weights and what goes with them. */
TSR_API tsr_status tsr_weights_merge(const char *model, const tsr_load_options *opt, const char *path, tsr_error **err);

/* ---- looking into files -------------------------------------------------------------------- */

typedef void (*tsr_write_fn)(void *user, const char *text, size_t len);

/* What a file is, of any kind tsrun knows; nothing in it is executed. */
TSR_API tsr_status tsr_inspect(const char *path, bool json, tsr_write_fn write, void *user, tsr_error **err);
/* What a cautious person wants to know before loading a file: globals that pickles name and call, __setstate__
 * methods, operators that reach outside, odd structure.  *suspicious: findings that are more than a note. */
TSR_API tsr_status tsr_scan_report(const char *path, bool json, tsr_write_fn write, void *user, size_t *suspicious, tsr_error **err);
/* Operators an archive needs that are missing, one a line: schema, uses, first source line.  *missing: how many. */
TSR_API tsr_status tsr_check(const char *path, tsr_write_fn write, void *user, size_t *missing, tsr_error **err);
/* stage: "source", "ast", "ir", "bytecode".  method NULL: all exported methods.  opt_level: as in tsr_load_options. */
TSR_API tsr_status tsr_code(const char *path, const char *stage, const char *method, int opt_level,
                            tsr_write_fn write, void *user, tsr_error **err);
/* The same with more to choose. */
typedef struct tsr_code_options {
  size_t struct_size;          /* sizeof(tsr_code_options) */
  const char *stage, *method;  /* as above */
  int opt_level;
  const char *disable_passes;  /* as in tsr_load_options */
  const char *pass;            /* stage "ir": a pass's name shows the code when that pass has run, "all" what each pass changed; or NULL */
} tsr_code_options;
TSR_API tsr_status tsr_code_with(const char *path, const tsr_code_options *opt, tsr_write_fn write, void *user, tsr_error **err);
/* Passes of the optimiser that can be switched off, in order; NULL past the last.  *what (may be NULL): what it does. */
TSR_API const char *tsr_pass_name(size_t index, const char **what); /* borrow, static */
/* Operators implemented: one schema a line, or a Markdown table. */
TSR_API tsr_status tsr_ops(bool markdown, tsr_write_fn write, void *user);
/* One line: CPU features, instruction set chosen, BLAS, threads. */
TSR_API tsr_status tsr_build_info(tsr_write_fn write, void *user);

TSR_API void tsr_string_free(char *s);

#ifdef __cplusplus
}
#endif
#endif
