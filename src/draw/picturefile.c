/* Pictures as files. */
#include "draw/scene.h"

#include <string.h>
#include <strings.h>

static bp_status save_svg(const bp_picture *p, bool dark, const char *path)
{
  char *text;
  bp_status s = bp_picture_svg(p, dark, &text);
  if (s != BP_OK)
    return s;
  s = bp_save_file(p->ctx, path, text, strlen(text));
  bp_free(p->ctx, text);
  return s;
}

static bp_status save_png(const bp_picture *p, bool dark, double scale, const char *path)
{
  unsigned char *data;
  size_t n;
  bp_status s = bp_picture_png(p, dark, scale, &data, &n);
  if (s != BP_OK)
    return s;
  s = bp_save_file(p->ctx, path, data, n);
  bp_free(p->ctx, data);
  return s;
}

static bool ends_in(const char *path, const char *end)
{
  size_t n = strlen(path), k = strlen(end);
  return n > k && !strcasecmp(path + n - k, end);
}

bp_status bp_picture_save(const bp_picture *p, bool dark, double scale, const char *path)
{
  if (!p || !path)
    return bpi_bad_arg("bp_picture_save", "p or path is NULL");
  if (ends_in(path, ".svg"))
    return save_svg(p, dark, path);
  if (ends_in(path, ".png"))
    return save_png(p, dark, scale, path);
  return bpi_fail(BP_E_UNSUPPORTED, "%s: a picture is saved as NAME.svg or NAME.png", path);
}
