#include "base/pairs.h"

char *bpi_unpack(const unsigned char (*pairs)[2], unsigned char byte, char *to)
{
  if (byte >= 128)
    return bpi_unpack(pairs, pairs[byte - 128][1], bpi_unpack(pairs, pairs[byte - 128][0], to));
  *to = (char)byte;
  return to + 1;
}
