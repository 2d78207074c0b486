/* How much memory there is to use. */
#ifndef CLI_ALLOWANCE_H
#define CLI_ALLOWANCE_H

#include <stdint.h>

/* Bytes that the machine, the control group and the limits of the process allow altogether. */
int64_t memory_allowed(void);

#endif
