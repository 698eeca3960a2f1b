/* Why an operator of PyTorch is not available. */
#ifndef TSR_OPS_ABSENT_H
#define TSR_OPS_ABSENT_H

#include "core/schema.h"

typedef struct tsr_absent { const char *pattern, *reason; } tsr_absent; /* "aten::save", "c10d::*" */

/* For a name without schema ("aten::save"), of an operator that no row declares.  Never NULL. */
const char *tsr_absent_reason(const char *name, size_t len);
const tsr_absent *tsr_absent_rows(size_t *n);

#endif
