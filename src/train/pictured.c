/* Whether what a network takes is an image, and of what shape. */
#include "train/net.h"

#include <math.h>
#include <string.h>

/* A square, said by the data, or by columns that have numbers instead of names. */
static bool looks_like_square(const bp_net *net, int64_t side)
{
  enum { LEAST = 5 };
  if (side * side != net->inputs || side < LEAST || net->encoding.codings)
    return false;
  for (int64_t i = 0; i < net->inputs && !net->image; i++) {
    const char *name = bp_net_col_name(net, i);
    size_t n = strlen(name);
    if (n && (name[n - 1] < '0' || name[n - 1] > '9'))
      return false;
  }
  return true;
}

bool bp_net_image(const bp_net *net, int64_t shape[3])
{
  int64_t found[3] = {0};
  int64_t side = net ? (int64_t)llround(sqrt((double)net->inputs)) : 0;
  if (net && net->shape[0])
    memcpy(found, net->shape, sizeof found);
  else if (net && looks_like_square(net, side))
    memcpy(found, (int64_t[3]){side, side, 1}, sizeof found);
  if (shape)
    memcpy(shape, found, sizeof found);
  return found[0] > 0;
}
