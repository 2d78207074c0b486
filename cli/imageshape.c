/* "28x28", "32x32x3". */
#include "imageshape.h"
#include "say.h"

#include <stdio.h>

int image_shape(const settings *s, int64_t shape[3])
{
  long long d[3] = {0, 0, 1};
  char more;
  shape[0] = shape[1] = shape[2] = 0;
  if (!s->shape)
    return END_DONE;
  bool two = sscanf(s->shape, "%7lldx%7lld%c", &d[0], &d[1], &more) == 2,
       three = !two && sscanf(s->shape, "%7lldx%7lldx%7lld%c", &d[0], &d[1], &d[2], &more) == 3;
  if (!(two || three) || d[0] < 1 || d[1] < 1 || d[2] < 1)
    return fail(END_USAGE, "--shape: '%s' is not HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, as 28x28", s->shape);
  for (int i = 0; i < 3; i++)
    shape[i] = d[i];
  return END_DONE;
}
