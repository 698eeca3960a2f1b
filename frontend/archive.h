/* The container: opens a file, tells its kind, hands out entries.  The only user of libzip. */
#ifndef TSR_FRONTEND_ARCHIVE_H
#define TSR_FRONTEND_ARCHIVE_H

#include "core/digest.h"
#include "core/error.h"
#include "core/mem.h"

typedef enum tsr_file_kind {
  TSR_FILE_TORCHSCRIPT,        /* torch.jit.save, 1.3 and later: constants.pkl and code/ */
  TSR_FILE_TORCHSCRIPT_LEGACY, /* 1.0–1.2: model.json */
  TSR_FILE_LITE,               /* .ptl: bytecode.pkl (has_code tells whether it can run from code) */
  TSR_FILE_TORCH_ZIP,          /* torch.save zip */
  TSR_FILE_TORCH_STREAM,       /* torch.save before 1.6 */
  TSR_FILE_TORCH_TAR,          /* torch.save before 0.2 */
  TSR_FILE_TORCH_PACKAGE, TSR_FILE_PT2 /* torch.export */, TSR_FILE_MAR, TSR_FILE_FLATBUFFER, TSR_FILE_ZIP,
  TSR_FILE_NPZ, TSR_FILE_NPY, TSR_FILE_SAFETENSORS, TSR_FILE_ONNX, TSR_FILE_GGUF, TSR_FILE_HDF5, TSR_FILE_PICKLE,
  TSR_FILE_PREVIEW, TSR_FILE_HTML, TSR_FILE_LFS_POINTER, TSR_FILE_TRUNCATED_ZIP, TSR_FILE_PACKED, TSR_FILE_MEDIA, TSR_FILE_EMPTY, TSR_FILE_DIRECTORY, TSR_FILE_UNKNOWN
} tsr_file_kind;

typedef struct tsr_archive tsr_archive;

typedef struct tsr_entry_info {
  const char *name; size_t name_len;   /* without the root folder: "data/0", "code/__torch__.py" */
  uint64_t size;                       /* uncompressed bytes */
  bool stored;
  bool outside;                        /* not under the root folder: name is whole, tsr_archive_find skips it */
} tsr_entry_info;

/* Open anything (zip kinds are indexed; for others only kind and bytes are available).  Zip structure is
 * checked: overlap, duplicates, sizes against the file, names, methods, entry count, totals. */
tsr_status tsr_archive_open(const char *path, bool no_mmap, tsr_errrec *e, tsr_archive **out);
tsr_status tsr_archive_open_memory(const void *data, size_t len, tsr_errrec *e, tsr_archive **out); /* data borrowed */
/* A file that another file or a folder names: pipes and devices are refused. */
tsr_status tsr_archive_open_regular(const char *path, tsr_errrec *e, tsr_archive **out);
/* The bytes only: a zip is not indexed, however odd it is (scan.c). */
tsr_status tsr_archive_open_raw(const char *path, tsr_errrec *e, tsr_archive **out);
tsr_status tsr_archive_open_fd(int fd, bool no_mmap, tsr_errrec *e, tsr_archive **out);
void tsr_archive_retain(tsr_archive *a);
void tsr_archive_release(tsr_archive *a); /* mapped entries stay valid while a reference is held */

/* What tells this file from others (where: device and inode) and this version of it from later ones (what: its size, its
 * time, its directory with the checksums of all entries).  false: it is not a mapped zip file. */
bool tsr_archive_identify(const tsr_archive *a, tsr_digest *where, tsr_digest *what);
tsr_file_kind tsr_archive_kind(const tsr_archive *a);
const char *tsr_file_kind_name(tsr_file_kind k);   /* "a state dict or checkpoint of torch.save", … */
const char *tsr_file_kind_id(tsr_file_kind k);     /* "torch_zip": for programs */
const char *tsr_file_kind_advice(tsr_file_kind k); /* what to do with one that cannot run; "" for those that can */
/* The one line for a file that is not a runnable archive: what it is and what to do. */
tsr_status tsr_archive_fail_kind(const tsr_archive *a, tsr_errrec *e);
const char *tsr_archive_path(const tsr_archive *a);
/* These bytes of the file are read next: map them at once instead of a fault for every few pages.  A wish. */
void tsr_archive_fetch(tsr_archive *a, const void *data, size_t len);
/* All of a mapped file will be read: the disk may begin.  A wish. */
void tsr_archive_expect(const tsr_archive *a);
/* These bytes of the file are not likely to be read again: a mapped file's pages need not stay in memory. */
void tsr_archive_forget(tsr_archive *a, const void *data, size_t len);
const void *tsr_archive_bytes(const tsr_archive *a, size_t *len); /* the whole file, mapped or read */
const char *tsr_archive_root(const tsr_archive *a);  /* "model" of "model/data.pkl" */
#define TSR_MAX_FORMAT 10                            /* what PyTorch 2.13 writes at most */
int tsr_archive_version(const tsr_archive *a);       /* format version as written, 0 unknown */
/* Refuses versions and byte orders that are not known. */
tsr_status tsr_archive_check_format(const tsr_archive *a, tsr_errrec *e);
bool tsr_archive_is_big_endian(const tsr_archive *a);
bool tsr_archive_has_code(const tsr_archive *a);     /* constants.pkl and code/: runnable, whatever the kind */

size_t tsr_archive_entry_count(const tsr_archive *a);
void tsr_archive_entry(const tsr_archive *a, size_t index, tsr_entry_info *out);
bool tsr_archive_find(const tsr_archive *a, const char *name, size_t *index);
/* Bytes of an entry.  Stored entries point into the mapping (no copy); deflated ones are inflated once
 * and cached in the archive (limit: 256 MiB in all; tensors go through read_into).  Valid while the
 * archive is.  Size is checked on both sides.  CRC is checked unless the header's CRC is 0, but not for
 * stored tensors: that would read every weight from disk at load. */
tsr_status tsr_archive_read(tsr_archive *a, size_t index, tsr_errrec *e, const void **data, size_t *len);
/* The same for a stored entry, without looking at its bytes: its checksum stays unchecked. */
tsr_status tsr_archive_peek(tsr_archive *a, size_t index, tsr_errrec *e, const void **data, size_t *len);
/* The same into the caller's buffer of exactly the entry's size. */
tsr_status tsr_archive_read_into(tsr_archive *a, size_t index, tsr_errrec *e, void *dst, size_t size);
/* Every byte of an entry against its checksum, also of tensors, unless the archive was written without (CRC 0). */
tsr_status tsr_archive_verify(tsr_archive *a, size_t index, tsr_errrec *e);

/* The first bytes of an entry, at most size of them. */
tsr_status tsr_archive_read_head(tsr_archive *a, size_t index, tsr_errrec *e, void *dst, size_t size, size_t *got);

/* Writes zip files, data uncompressed and aligned to 64 bytes.  Bytes given to add stay borrowed until
 * finish.  The zip is written to the fd (a regular file, from its start), which stays open; name is what errors call it. */
typedef struct tsr_zip_writer tsr_zip_writer;
tsr_status tsr_zip_writer_new(int fd, const char *name, tsr_errrec *e, tsr_zip_writer **out); /* name: borrowed until finish */
tsr_status tsr_zip_writer_add(tsr_zip_writer *w, tsr_errrec *e, const char *name, const void *data, size_t len);
/* Bytes that are made when their turn comes, at finish: head (copied now), then size bytes of what open gives. */
struct tsr_pour; /* frontend/pour.h */
typedef struct tsr_zip_part {
  void *user;
  tsr_status (*open)(void *user, struct tsr_pour **out); /* own */
} tsr_zip_part;
tsr_status tsr_zip_writer_add_part(tsr_zip_writer *w, tsr_errrec *e, const char *name, const void *head, size_t head_len,
                                   const tsr_zip_part *part, uint64_t size);
/* An entry of another archive as it is, compressed or not; a must live until finish. */
tsr_status tsr_zip_writer_copy(tsr_zip_writer *w, tsr_errrec *e, tsr_archive *a, size_t index);
const char *tsr_archive_entry_name(const tsr_archive *a, size_t index, size_t *len); /* borrow, whole, not NUL-terminated */
tsr_status tsr_zip_writer_finish(tsr_zip_writer *w, tsr_errrec *e); /* frees w, also on failure */
void tsr_zip_writer_free(tsr_zip_writer *w);                        /* give up; NULL is allowed */

#endif
