/* Devices that an archive names. */
#ifndef TSR_INTERP_DEVICES_H
#define TSR_INTERP_DEVICES_H

#include "interp/program.h"

/* TSR_EUNSUPPORTED when a storage, a value or the code is bound to a device other than the CPU. */
tsr_status tsr_devices_check(const tsr_program *p, tsr_errrec *e);

#endif
