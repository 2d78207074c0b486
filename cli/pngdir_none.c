/* Without libpng. */
#include "options.h"
#include "pngdir.h"

int pngdir_images(const char *path, bp_ndarray *out)
{
  (void)out;
  return fail(END_DATA, "%s: is a folder, and this bprop was built without libpng, which reads images", path);
}

int pngdir_data(bp_ctx *ctx, const char *path, bp_data **out)
{
  (void)ctx, (void)out;
  return pngdir_images(path, NULL);
}

void pngdir_free(bp_ndarray *images)
{
  (void)images;
}
