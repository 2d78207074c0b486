/* PNG folders by libpng's simplified interface. */
#include "options.h"
#include "pngdir.h"

#include <dirent.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MOST_SIDE = 16384, MOST_CLASSES_OF_FOLDERS = 65536 };

/* Sorted names. */
typedef struct names {
  char **at;
  int64_t n, room;
} names;

typedef struct pictures {
  const char *path;
  names folders; /* classes, with a picture each at least */
  names files;   /* paths */
  int64_t *label;
  int64_t labels_room;
  bool flat; /* the folder itself has pictures */
  png_uint_32 width, height;
  bool colour;
} pictures;

static bool add_name(names *list, const char *folder, const char *name)
{
  size_t size = strlen(folder) + strlen(name) + 2;
  if (list->n == list->room) {
    int64_t room = list->room ? 2 * list->room : 64;
    char **more = realloc(list->at, (size_t)room * sizeof *more);
    if (!more)
      return false;
    list->at = more;
    list->room = room;
  }
  char *text = malloc(size);
  if (!text)
    return false;
  snprintf(text, size, "%s%s%s", folder, *folder ? "/" : "", name);
  list->at[list->n++] = text;
  return true;
}

static void free_names(names *list)
{
  for (int64_t i = 0; i < list->n; i++)
    free(list->at[i]);
  free(list->at);
  *list = (names){0};
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_png(const char *name)
{
  size_t n = strlen(name);
  return n > 4 && !strcasecmp(name + n - 4, ".png") && name[0] != '.';
}

static bool is_folder(const char *path)
{
  struct stat st;
  return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* The folders in a folder, or its PNG files, as paths. */
static int list_folder(const char *path, bool folders, names *out)
{
  DIR *d = opendir(path);
  if (!d)
    return fail(END_DATA, "%s: the folder cannot be read", path);
  int64_t first = out->n;
  bool room = true;
  for (struct dirent *e; room && (e = readdir(d)) != NULL;)
    if (e->d_name[0] != '.' && (folders || is_png(e->d_name))) {
      room = add_name(out, path, e->d_name);
      if (room && folders && !is_folder(out->at[out->n - 1]))
        free(out->at[--out->n]);
    }
  closedir(d);
  if (out->n > first)
    qsort(out->at + first, (size_t)(out->n - first), sizeof *out->at, by_name);
  return room ? END_DONE : fail_memory();
}

static bool label_files(pictures *p, int64_t first, int64_t label)
{
  if (p->files.n > p->labels_room) {
    int64_t *more = realloc(p->label, (size_t)p->files.n * sizeof *more);
    if (!more)
      return false;
    p->label = more;
    p->labels_room = p->files.n;
  }
  for (int64_t i = first; i < p->files.n; i++)
    p->label[i] = label;
  return true;
}

static int list_pictures(pictures *p)
{
  names all = {0};
  int end = list_folder(p->path, false, &p->files);
  p->flat = p->files.n > 0;
  if (!end && !label_files(p, 0, 0))
    end = fail_memory();
  if (!end)
    end = list_folder(p->path, true, &all);
  for (int64_t i = 0; i < all.n && !end; i++) {
    int64_t first = p->files.n;
    end = list_folder(all.at[i], false, &p->files);
    if (end || p->files.n == first)
      continue;
    if (!add_name(&p->folders, "", strrchr(all.at[i], '/') + 1) || !label_files(p, first, p->folders.n - 1))
      end = fail_memory();
  }
  free_names(&all);
  if (!end && !p->files.n)
    end = fail(END_DATA,
               "%s: is a folder without PNG files; images for training lie in a folder for each class, as "
               "FOLDER/cat/1.png",
               p->path);
  return end;
}

/* ---- pixels ---- */

/* The heads of all files first: one size, and one kind of pixels. */
static int look_at(pictures *p, const char *file, bool first)
{
  png_image image = {.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_file(&image, file))
    return fail(END_DATA, "%s: %s", file, image.message);
  png_uint_32 width = image.width, height = image.height;
  p->colour = p->colour || (image.format & PNG_FORMAT_FLAG_COLOR);
  png_image_free(&image);
  if (width > MOST_SIDE || height > MOST_SIDE)
    return fail(END_DATA, "%s: has %u x %u pixels; %d x %d are the most", file, width, height, MOST_SIDE,
                MOST_SIDE);
  if (!first && (width != p->width || height != p->height))
    return fail(END_DATA, "%s: has %u x %u pixels, %s has %u x %u; all must have the same", file, width,
                height, p->files.at[0], p->width, p->height);
  p->width = width;
  p->height = height;
  return END_DONE;
}

static int read_picture(const pictures *p, const char *file, unsigned char *to)
{
  png_image image = {.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_file(&image, file))
    return fail(END_DATA, "%s: %s", file, image.message);
  image.format = p->colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  bool same = image.width == p->width && image.height == p->height; /* it may have changed */
  if (!same || !png_image_finish_read(&image, NULL, to, 0, NULL)) {
    int end = fail(END_DATA, "%s: %s", file, same ? image.message : "changed while it was read");
    png_image_free(&image);
    return end;
  }
  return END_DONE;
}

static int read_pictures(pictures *p, bp_ndarray *out)
{
  int end = END_DONE;
  for (int64_t i = 0; i < p->files.n && !end; i++)
    end = look_at(p, p->files.at[i], i == 0);
  if (!end && p->files.n < 1)
    end = fail(END_DATA, "there are no pictures");
  if (end)
    return end;
  int64_t channels = p->colour ? 3 : 1, size = (int64_t)p->width * p->height * channels;
  *out =
      (bp_ndarray){.store = BP_STORE_UINT8, .rank = 4, .dims = {p->files.n, p->height, p->width, channels}};
  out->size = size * p->files.n;
  out->data = size < 1 || size > INT64_MAX / 2 / p->files.n ? NULL : calloc((size_t)out->size, 1);
  if (!out->data)
    return fail_memory();
  for (int64_t i = 0; i < p->files.n && !end; i++)
    end = read_picture(p, p->files.at[i], (unsigned char *)out->data + i * size);
  return end;
}

void pngdir_free(bp_ndarray *images)
{
  free(images->data);
  *images = (bp_ndarray){0};
}

static void pictures_free(pictures *p)
{
  free_names(&p->folders);
  free_names(&p->files);
  free(p->label);
}

int pngdir_images(const char *path, bp_ndarray *out)
{
  pictures p = {.path = path};
  int end = list_pictures(&p);
  if (!end)
    end = read_pictures(&p, out);
  pictures_free(&p);
  return end;
}

/* ---- with classes ---- */

static int check_classes(const pictures *p)
{
  if (p->flat)
    return fail(END_DATA, "%s: has images beside those in folders, and the folders are the classes", p->path);
  return p->folders.n <= MOST_CLASSES_OF_FOLDERS ? END_DONE
                                                 : fail(END_DATA, "%s: has too many folders", p->path);
}

static int make_data(bp_ctx *ctx, const pictures *p, const bp_ndarray *x, bp_data **out)
{
  bp_ndarray y = {
      .store = BP_STORE_INT64, .rank = 1, .dims = {p->files.n}, .size = p->files.n, .data = p->label};
  *out = bp_data_from_arrays(ctx, x, &y);
  if (*out && bp_data_name_classes(*out, "folder", (const char *const *)p->folders.at, p->folders.n) == BP_OK)
    return END_DONE;
  bp_data_free(*out);
  *out = NULL;
  return fail(END_DATA, "%s: %s", p->path, bp_error());
}

int pngdir_data(bp_ctx *ctx, const char *path, bp_data **out)
{
  pictures p = {.path = path};
  bp_ndarray x = {0};
  int end = list_pictures(&p);
  if (!end)
    end = check_classes(&p);
  if (!end)
    end = read_pictures(&p, &x);
  if (!end)
    end = make_data(ctx, &p, &x, out);
  pngdir_free(&x);
  pictures_free(&p);
  return end;
}
