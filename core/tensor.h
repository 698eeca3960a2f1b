/* Tensors: storage, sizes, strides, views.  Computes nothing (see ops/). */
#ifndef TSR_CORE_TENSOR_H
#define TSR_CORE_TENSOR_H

#include "core/value.h"

typedef struct tsr_storage {
  tsr_obj h;
  void *data;            /* NULL when nbytes == 0, or given up: tsr_storage_drop */
  size_t nbytes;
  bool owned;            /* data came from tsr_buf_alloc(h.mem) */
  bool cow;              /* data is somebody else's: the first write copies it (tsr_tensor_data_mut) */
  bool absent;           /* saved without data (the meta device): what stands here is a placeholder */
  tsr_device saved_on;   /* where the file says it lived (cuda:3, mps, meta); everything is on the CPU here */
  uint8_t raw;           /* TSR_RAW_* bits of frontend/raw.h: bytes as they lie in a file, not yet fit for use; else 0 */
  uint32_t entry;        /* the archive's entry that holds the bytes, plus one; 0: none */
  struct tsr_storage *base; /* kept alive while cow data is used; or NULL */
  void (*release)(void *user, const void *data); /* for borrowed data; or NULL */
  void *user;
} tsr_storage;

typedef struct tsr_quant {  /* quantizer of a quantized tensor */
  uint8_t scheme;           /* QScheme code: 0 per tensor affine, 1 per channel affine, 4 per channel float qparams */
  double scale; int64_t zero_point;
  struct tsr_tensor *scales, *zero_points; int64_t axis; /* per channel */
} tsr_quant;

typedef struct tsr_sparse { /* sparse COO / CSR: values and indices instead of storage */
  struct tsr_tensor *a, *b, *values; /* COO: indices, NULL; CSR: crow, col */
  bool coalesced;
} tsr_sparse;

#define TSR_INLINE_NDIM 6

struct tsr_tensor {
  tsr_obj h;
  tsr_storage *storage;
  int64_t offset;        /* elements */
  int64_t numel;
  int64_t *size, *stride;/* point into dims, or to a block of dims_cap pairs for higher ranks */
  uint8_t dtype;         /* tsr_dtype */
  uint8_t ndim;
  uint8_t requires_grad;
  uint8_t layout;        /* 0 strided, 1 sparse COO, 2 sparse CSR, … */
  uint8_t dims_cap;
  uint8_t wrapped_number;/* came from a Python number: weakest in type promotion */
  uint8_t hidden;        /* channels last in memory, C order to the program (ops/layout.h) */
  uint8_t pad_;
  tsr_quant *quant;      /* NULL unless quantized */
  tsr_sparse *sparse;    /* NULL unless layout != 0 */
  int64_t dims[2 * TSR_INLINE_NDIM];
};

/* Constructors: one reference, NULL when out of memory or when numel * size overflows. */
tsr_storage *tsr_storage_new(tsr_mem *mem, size_t nbytes);
tsr_storage *tsr_storage_borrow(tsr_mem *mem, const void *data, size_t nbytes,
                                void (*release)(void *, const void *), void *user); /* marked cow */
tsr_storage *tsr_storage_cow(tsr_mem *mem, tsr_storage *base); /* shares base's bytes until written */
/* Free the bytes of owned storage that is never read again; sizes and strides of its tensors stay. */
void tsr_storage_drop(tsr_storage *s);
/* s gets other bytes, as many as it had: those of from, offset bytes into them.  Who views s sees them. */
void tsr_storage_exchange(tsr_storage *s, tsr_storage *other); /* the bytes of two storages of one size and heap */
void tsr_storage_redirect(tsr_storage *s, tsr_storage *from, size_t offset);
tsr_tensor *tsr_tensor_new(tsr_mem *mem, tsr_dtype dtype, int ndim, const int64_t *size); /* C order, uninitialised */
tsr_tensor *tsr_tensor_new_strided(tsr_mem *mem, tsr_dtype dtype, int ndim, const int64_t *size, const int64_t *stride); /* dense enough storage for these strides */
/* A view; the caller has checked that it stays inside the storage (tsr_view_fits).  stride NULL: C order. */
tsr_tensor *tsr_tensor_view(tsr_mem *mem, tsr_storage *storage, tsr_dtype dtype, int64_t offset, int ndim,
                            const int64_t *size, const int64_t *stride);
tsr_tensor *tsr_tensor_alias(tsr_mem *mem, const tsr_tensor *t); /* same storage and geometry, other object */
/* Change geometry in place (resize_, unsqueeze_, …); false: out of memory. */
bool tsr_tensor_set_dims(tsr_tensor *t, int ndim, const int64_t *size, const int64_t *stride);

bool tsr_view_fits(size_t nbytes, tsr_dtype dtype, int64_t offset, int ndim, const int64_t *size, const int64_t *stride);
bool tsr_numel(int ndim, const int64_t *size, int64_t *numel); /* false: negative size or overflow */
void tsr_strides_contiguous(int ndim, const int64_t *size, int64_t *stride);
void tsr_strides_channels_last(int ndim /* 4 or 5 */, const int64_t *size, int64_t *stride);
static inline bool tsr_tensor_same_size(const tsr_tensor *a, const tsr_tensor *b) { return a->ndim == b->ndim && memcmp(a->size, b->size, (size_t)a->ndim * sizeof *a->size) == 0; }
bool tsr_tensor_is_contiguous(const tsr_tensor *t);            /* PyTorch's rule: size-1 dims ignored, empty is */
bool tsr_tensor_is_channels_last(const tsr_tensor *t);         /* 4-D or 5-D */
bool tsr_tensor_is_dense(const tsr_tensor *t);                 /* non-overlapping and dense: a permutation of C order */

static inline size_t tsr_tensor_itemsize(const tsr_tensor *t) { return tsr_dtype_size((tsr_dtype)t->dtype); }
/* First element, read only; NULL only when numel == 0. */
static inline const void *tsr_tensor_data_ro(const tsr_tensor *t) {
  return t->storage->data == NULL ? NULL : (const char *)t->storage->data + (size_t)t->offset * tsr_tensor_itemsize(t);
}
/* First element, to be written: gives copy-on-write storage its own bytes first.  NULL with numel > 0: out of memory. */
void *tsr_tensor_data_mut(tsr_tensor *t);

/* Element access by linear C-order index, any strides: slow, for scalars and printing. */
tsr_val tsr_tensor_get(tsr_mem *mem, const tsr_tensor *t, int64_t linear); /* complex may be None when out of memory */
void tsr_tensor_print(const tsr_tensor *t, tsr_buf *out);      /* C++ style, as print() does in TorchScript */

#endif
