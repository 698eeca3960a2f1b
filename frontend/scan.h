/* What a cautious person wants to know about a file before loading it.  Reads, follows and compares; runs nothing,
 * and unlike the readers does not stop at the first oddity. */
#ifndef TSR_FRONTEND_SCAN_H
#define TSR_FRONTEND_SCAN_H

#include "frontend/archive.h"

typedef enum tsr_scan_level { TSR_SCAN_NOTE, TSR_SCAN_ODD, TSR_SCAN_DANGER } tsr_scan_level;

typedef enum tsr_scan_trust {
  TSR_TRUST_KNOWN,     /* builds plain data: what every PyTorch file names */
  TSR_TRUST_LIBRARY,   /* a class of PyTorch, NumPy or the standard library that holds data */
  TSR_TRUST_OPAQUE,    /* some other class or function: Python would import its module */
  TSR_TRUST_DANGEROUS  /* runs code, or touches files, processes or the network */
} tsr_scan_trust;

typedef struct tsr_scan_global { char *name; tsr_scan_trust trust; uint64_t uses, calls; } tsr_scan_global;
typedef struct tsr_scan_finding { tsr_scan_level level; char *where, *text; } tsr_scan_finding;

typedef struct tsr_scan {
  tsr_archive *raw, *strict; /* the file's bytes; the same as a zip that passed every check, or NULL */
  const uint8_t *p;
  size_t len;
  tsr_file_kind kind;
  tsr_scan_global *globals; size_t global_count, global_cap;
  tsr_scan_finding *findings; size_t finding_count, finding_cap;
  char **setstates; size_t setstate_count, setstate_cap;     /* classes with a __setstate__ */
  char **operators; size_t operator_count, operator_cap;     /* custom operators, "ns::name" */
  int protocol_low, protocol_high;                           /* of the pickles; -1: none seen */
  size_t pickles, entries;
  bool oom;
} tsr_scan;

tsr_status tsr_scan_file(const char *path, bool json, tsr_errrec *e, tsr_buf *out, size_t *suspicious);

/* ---- between the files of the scanner ---- */
void tsr_scan_add(tsr_scan *s, tsr_scan_level level, const char *where, const char *fmt, ...) TSR_PRINTF(4, 5);
void tsr_scan_name(tsr_scan *s, char ***list, size_t *count, size_t *cap, const char *name, size_t len); /* once each */
tsr_scan_global *tsr_scan_note_global(tsr_scan *s, const char *name, size_t len); /* NULL: out of memory, or too many */
tsr_scan_trust tsr_scan_trust_of(const char *name, size_t len);       /* scan_names.c: "os.system" */
const char *tsr_scan_operator_risk(const char *name, size_t len);     /* "aten::save" writes files; NULL: none known */
size_t tsr_scan_pickle(tsr_scan *s, const char *where, const uint8_t *p, size_t len); /* bytes it takes; 0: no end */
void tsr_scan_zip(tsr_scan *s, bool alone);                           /* structure of the file as a zip; alone: and its pickles */
void tsr_scan_code(tsr_scan *s, const char *name, const char *text, size_t len);

#endif
