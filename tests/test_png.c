/* Pictures as pixels: coverage, lines, letters; PNG read back by Python's zlib; and the same picture drawn by librsvg. */
#include "draw/png.h"
#include "draw/polygon.h"
#include "support/failing.h"
#include "support/one_ctx.h"
#include "support/sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { SIDE = 8 };

/* Black polygon on white; how much of a pixel is covered, 0 to 1. */
static double covered(const bpi_pixels *to, int x, int y)
{
  return 1 - to->rgb[3 * (y * to->width + x)] / 255.0;
}

static void fill_on_white(const bpi_lines *l, bpi_pixels *to, unsigned char *rgb)
{
  *to = (bpi_pixels){SIDE, SIDE, rgb};
  memset(rgb, 255, 3 * SIDE * SIDE);
  assert_int_equal(bpi_fill_lines(l, to, 0), BP_OK);
}

static void polygon(bpi_lines *l, const bpi_point *p, int n)
{
  for (int i = 0; i < n; i++)
    (i ? bpi_line_to : bpi_move_to)(l, p[i]);
}

/* A box from (1.25, 1.5) to (4.5, 3.75): inner pixels 1; its sides 3/4 and 1/2 of a pixel, above 1/2, below 3/4; corners products. */
static void a_box_covers_what_it_covers(void **state)
{
  (void)state;
  bpi_lines l;
  bpi_pixels to;
  unsigned char rgb[3 * SIDE * SIDE];
  const double across[SIDE] = {0, 0.75, 1, 1, 0.5, 0, 0, 0}, down[SIDE] = {0, 0.5, 1, 0.75, 0, 0, 0, 0};
  for (int turned = 0; turned < 2; turned++) {
    bpi_point box[4] = {{1.25, 1.5}, {4.5, 1.5}, {4.5, 3.75}, {1.25, 3.75}};
    if (turned) {
      bpi_point keep = box[1];
      box[1] = box[3];
      box[3] = keep;
    }
    bpi_lines_init(&l, ctx);
    polygon(&l, box, 4);
    fill_on_white(&l, &to, rgb);
    for (int y = 0; y < SIDE; y++)
      for (int x = 0; x < SIDE; x++)
        assert_float_equal(covered(&to, x, y), across[x] * down[y], 0.003);
    bpi_lines_free(&l);
  }
}

/* Two boxes that overlap, turning the same way: a union, no pixel counted twice. Turning against each other: a hole. */
static void overlap_counts_once(void **state)
{
  (void)state;
  bpi_lines l;
  bpi_pixels to;
  unsigned char rgb[3 * SIDE * SIDE];
  bpi_lines_init(&l, ctx);
  polygon(&l, (bpi_point[]){{1, 1}, {5.5, 1}, {5.5, 5}, {1, 5}}, 4);
  polygon(&l, (bpi_point[]){{2, 2}, {5.5, 2}, {5.5, 4}, {2, 4}}, 4);
  fill_on_white(&l, &to, rgb);
  assert_float_equal(covered(&to, 3, 3), 1, 0.003);
  assert_float_equal(covered(&to, 5, 3), 0.5, 0.003);
  bpi_lines_clear(&l);
  polygon(&l, (bpi_point[]){{1, 1}, {6, 1}, {6, 5}, {1, 5}}, 4);
  polygon(&l, (bpi_point[]){{2, 2}, {2, 4}, {5, 4}, {5, 2}}, 4);
  fill_on_white(&l, &to, rgb);
  assert_float_equal(covered(&to, 3, 3), 0, 0.003);
  assert_float_equal(covered(&to, 1, 3), 1, 0.003);
  bpi_lines_free(&l);
}

/* Area of the sum of all pixels = area of the shape: a triangle of 0.5 * 5.3 * 4.1, a disc of radius 2.7 (less what chords cut off, under 1 %), and a line of
 * width 1.3 around a box of 4 by 3 whose corners are round: 14 * 1.3 - 4 * 0.65^2 + pi * 0.65^2 (four quarter discs for four squares). */
static double total(const bpi_pixels *to)
{
  double sum = 0;
  for (int i = 0; i < SIDE * SIDE; i++)
    sum += covered(to, i % SIDE, i / SIDE);
  return sum;
}

static void areas_add_up(void **state)
{
  (void)state;
  bpi_lines l, wide;
  bpi_pixels to;
  unsigned char rgb[3 * SIDE * SIDE];
  bpi_lines_init(&l, ctx);
  bpi_lines_init(&wide, ctx);
  polygon(&l, (bpi_point[]){{1.2, 1.3}, {6.5, 1.3}, {3.3, 5.4}}, 3);
  fill_on_white(&l, &to, rgb);
  assert_float_equal(total(&to), 0.5 * 5.3 * 4.1, 0.01);

  bpi_lines_clear(&l);
  const double r = 2.7, k = 0.5522847498 * r, c = 4.1;
  bpi_move_to(&l, (bpi_point){c + r, c});
  bpi_cubic_to(&l, (bpi_point){c + r, c + k}, (bpi_point){c + k, c + r}, (bpi_point){c, c + r});
  bpi_cubic_to(&l, (bpi_point){c - k, c + r}, (bpi_point){c - r, c + k}, (bpi_point){c - r, c});
  bpi_cubic_to(&l, (bpi_point){c - r, c - k}, (bpi_point){c - k, c - r}, (bpi_point){c, c - r});
  bpi_cubic_to(&l, (bpi_point){c + k, c - r}, (bpi_point){c + r, c - k}, (bpi_point){c + r, c});
  fill_on_white(&l, &to, rgb);
  assert_float_equal(total(&to), 3.14159265 * r * r, 0.2);

  bpi_lines_clear(&l);
  polygon(&l, (bpi_point[]){{2, 2}, {6, 2}, {6, 5}, {2, 5}}, 4);
  bpi_close(&l);
  bpi_stroke(&l, 1.3, NULL, 0, &wide);
  fill_on_white(&wide, &to, rgb);
  assert_float_equal(total(&to), 14 * 1.3 + (3.14159265 - 4) * 0.65 * 0.65, 0.02);
  bpi_lines_free(&l);
  bpi_lines_free(&wide);
}

/* A ring of radius 1.2 drawn 3 wide, either way round, is a disc of radius 2.7: its pieces overlap and must not cancel. */
static void wide_bends_have_no_holes(void **state)
{
  (void)state;
  bpi_lines l, wide;
  bpi_pixels to;
  unsigned char rgb[3 * SIDE * SIDE];
  for (int way = -1; way <= 1; way += 2) {
    bpi_lines_init(&l, ctx);
    bpi_lines_init(&wide, ctx);
    for (int i = 0; i < 48; i++) {
      bpi_point at = {4 + 1.2 * cos(way * i * 3.14159265 / 24), 4 + 1.2 * sin(way * i * 3.14159265 / 24)};
      (i ? bpi_line_to : bpi_move_to)(&l, at);
    }
    bpi_close(&l);
    bpi_stroke(&l, 3, NULL, 0, &wide);
    fill_on_white(&wide, &to, rgb);
    assert_float_equal(total(&to), 3.14159265 * 2.7 * 2.7, 0.15);
    assert_float_equal(covered(&to, 4, 4), 1, 0.003);
    bpi_lines_free(&l);
    bpi_lines_free(&wide);
  }
}

/* A line that crosses its own corner, which turns left or right: there too pieces overlap, and the corner stays covered. */
static void crossings_have_no_holes(void **state)
{
  (void)state;
  bpi_lines l, wide;
  bpi_pixels to;
  unsigned char rgb[3 * SIDE * SIDE];
  for (int mirrored = 0; mirrored < 2; mirrored++) {
    const bpi_point path[] = {{1, 4}, {4, 4}, {4, 1}, {1, 1}, {7, 7}};
    bpi_lines_init(&l, ctx);
    bpi_lines_init(&wide, ctx);
    for (int i = 0; i < 5; i++)
      (i ? bpi_line_to : bpi_move_to)(&l, mirrored ? (bpi_point){path[i].y, path[i].x} : path[i]);
    bpi_stroke(&l, 2.4, NULL, 0, &wide);
    fill_on_white(&wide, &to, rgb);
    assert_float_equal(covered(&to, 4, 4), 1, 0.003);
    bpi_lines_free(&l);
    bpi_lines_free(&wide);
  }
}

/* A line of 7 at dashes of 2 on, 1 off: 2 + 2 + 1 of it is drawn, at width 1. */
static void dashes_are_drawn(void **state)
{
  (void)state;
  bpi_lines l, wide;
  bpi_pixels to;
  unsigned char rgb[3 * SIDE * SIDE];
  bpi_lines_init(&l, ctx);
  bpi_lines_init(&wide, ctx);
  polygon(&l, (bpi_point[]){{0.5, 3}, {4, 3}, {7.5, 3}}, 3);
  bpi_stroke(&l, 1, (double[]){2, 1}, 2, &wide);
  fill_on_white(&wide, &to, rgb);
  assert_float_equal(total(&to), 5, 0.03);
  assert_float_equal(covered(&to, 1, 2), 0.5, 0.003);
  assert_float_equal(covered(&to, 2, 2), 0.25, 0.003);
  bpi_lines_free(&l);
  bpi_lines_free(&wide);
}

/* ---- read back ---- */

static const char *python(void)
{
  const char *p = getenv("PYTHON");
  return p && *p ? p : NULL;
}

/* A decoder of PNG that shares nothing with the encoder: checks every chunk's checksum with zlib.crc32, inflates with zlib, undoes the
 * filters, and prints the pixels without alpha, as our paper is opaque. */
static const char decoder[] =
    "import sys,zlib,struct\n"
    "b=open(sys.argv[1],'rb').read()\n"
    "assert b[:8]==b'\\x89PNG\\r\\n\\x1a\\n'\n"
    "i=8;z=b'';kinds=[]\n"
    "while i<len(b):\n"
    " n,=struct.unpack('>I',b[i:i+4]);t=b[i+4:i+8];d=b[i+8:i+8+n]\n"
    " assert struct.unpack('>I',b[i+8+n:i+12+n])[0]==zlib.crc32(t+d);i+=12+n;kinds.append(t)\n"
    " if t==b'IHDR': w,h,bits,kind=struct.unpack('>IIBB',d[:10]);k={2:3,6:4}[kind];assert bits==8 and not "
    "any(d[10:])\n"
    " if t==b'IDAT': z+=d\n"
    "assert kinds[0]==b'IHDR' and kinds[-1]==b'IEND'\n"
    "r=zlib.decompress(z);s=k*w;assert len(r)==h*(s+1);above=bytearray(s);out=bytearray()\n"
    "for y in range(h):\n"
    " f=r[y*(s+1)];row=bytearray(r[y*(s+1)+1:(y+1)*(s+1)])\n"
    " for x in range(s):\n"
    "  a=row[x-k] if x>=k else 0;c=above[x-k] if x>=k else 0;u=above[x]\n"
    "  pa,pb,pc=abs(u-c),abs(a-c),abs(a+u-2*c)\n"
    "  p=[0,a,u,(a+u)//2,a if pa<=pb and pa<=pc else u if pb<=pc else c][f]\n"
    "  row[x]=(row[x]+p)&255\n"
    " above=row\n"
    " if k==4: row=bytearray(v for i,v in enumerate(row) if i%4<3)\n"
    " out+=row\n"
    "sys.stdout.buffer.write(out)\n";

/* Bytes that a command prints; 0 where it fails. */
static size_t output_of(const char *command, unsigned char *to, size_t room)
{
  FILE *f = popen(command, "r");
  assert_non_null(f);
  size_t n = fread(to, 1, room, f);
  return pclose(f) == 0 ? n : 0;
}

static char *temporary(const char *end)
{
  static char path[64];
  snprintf(path, sizeof path, "/tmp/bprop-png-%d-%s", (int)getpid(), end);
  return path;
}

static void write_bytes(const char *path, const void *data, size_t n)
{
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, n, f), n);
  fclose(f);
}

/* Decodes a PNG file with Python. */
static size_t decode(const char *path, unsigned char *to, size_t room)
{
  char command[4096], script[64];
  snprintf(script, sizeof script, "%s", temporary("decode.py"));
  write_bytes(script, decoder, sizeof decoder - 1);
  snprintf(command, sizeof command, "%s %s %s", python(), script, path);
  size_t n = output_of(command, to, room);
  unlink(script);
  return n;
}

static void png_reads_back(const unsigned char *rgb, int w, int h)
{
  unsigned char *png;
  size_t n, pixels = 3 * (size_t)w * (size_t)h;
  unsigned char *back = malloc(pixels + 1);
  assert_non_null(back);
  assert_int_equal(bpi_png(ctx, rgb, w, h, 0, &png, &n), BP_OK);
  char path[64];
  snprintf(path, sizeof path, "%s", temporary("x.png"));
  write_bytes(path, png, n);
  assert_int_equal(decode(path, back, pixels + 1), pixels);
  assert_memory_equal(back, rgb, pixels);
  unlink(path);
  free(back);
  bp_free(ctx, png);
}

/* Random bytes (nothing repeats), one byte throughout (repeats of every length), rows that repeat, and repeats from far back. */
static void any_pixels_read_back(void **state)
{
  (void)state;
  if (!python())
    skip();
  enum { W = 173, H = 131, ALL = 3 * W * H };
  unsigned char *rgb = malloc(ALL);
  assert_non_null(rgb);
  uint32_t seed = 1;
  for (int kind = 0; kind < 5; kind++) {
    for (int i = 0; i < ALL; i++) {
      seed = seed * 1664525 + 1013904223;
      unsigned char random = (unsigned char)(seed >> 24);
      rgb[i] = kind == 0                ? random
               : kind == 1              ? 77
               : kind == 2              ? (unsigned char)(i % (3 * W) * 7)
               : kind == 3 && i > 30000 ? rgb[i - 30000 - i % 5]
               : kind == 4              ? (unsigned char)(random < 250 ? 0 : random)
                                        : random;
    }
    png_reads_back(rgb, W, H);
  }
  png_reads_back(rgb, 1, 1);
  png_reads_back(rgb, 1, H);
  png_reads_back(rgb, W, 1);
  free(rgb);
}

static void pictures_read_back(void **state)
{
  (void)state;
  if (!python())
    skip();
  bp_picture *p;
  assert_int_equal(draw_sampler(ctx, &p), BP_OK);
  for (int dark = 0; dark < 2; dark++) {
    bpi_pixels pixels;
    assert_int_equal(bpi_paint(p, dark, 1.5, &pixels), BP_OK);
    assert_int_equal(pixels.width, 495);
    png_reads_back(pixels.rgb, pixels.width, pixels.height);
    bp_free(ctx, pixels.rgb);
  }
  bp_picture_free(p);
}

/* ---- the same as librsvg draws it ---- */

/* Difference of two images, blurred over 3 by 3 pixels, as renderers may place letters a fraction of a pixel apart. */
static double difference_at(const unsigned char *a, const unsigned char *b, int w, int x, int y)
{
  double sum = 0;
  for (int dy = -1; dy <= 1; dy++)
    for (int dx = -1; dx <= 1; dx++)
      for (int k = 0; k < 3; k++) {
        int i = 3 * ((y + dy) * w + x + dx) + k;
        sum += a[i] - b[i];
      }
  return fabs(sum) / 27 / 255;
}

static void looks_as_rsvg_draws_it(void **state)
{
  (void)state;
  if (!python() || system("rsvg-convert --version >/dev/null 2>&1") != 0 ||
      system("fc-list 2>/dev/null | grep -q DejaVuSans-Oblique.ttf") != 0)
    skip();
  bp_picture *p;
  char svg_path[64], png_path[64], command[160], *svg;
  snprintf(svg_path, sizeof svg_path, "%s", temporary("s.svg"));
  snprintf(png_path, sizeof png_path, "%s", temporary("s.png"));
  assert_int_equal(draw_sampler(ctx, &p), BP_OK);
  for (int dark = 0; dark < 2; dark++) {
    bpi_pixels ours;
    assert_int_equal(bpi_paint(p, dark, 2, &ours), BP_OK);
    size_t n = 3 * (size_t)ours.width * (size_t)ours.height;
    unsigned char *theirs = malloc(n);
    assert_non_null(theirs);
    assert_int_equal(bp_picture_svg(p, dark, &svg), BP_OK);
    write_bytes(svg_path, svg, strlen(svg));
    snprintf(command, sizeof command, "rsvg-convert -z 2 %s -o %s", svg_path, png_path);
    assert_int_equal(system(command), 0);
    assert_int_equal(decode(png_path, theirs, n), n);
    double worst = 0, sum = 0;
    for (int y = 1; y + 1 < ours.height; y++)
      for (int x = 1; x + 1 < ours.width; x++) {
        double d = difference_at(ours.rgb, theirs, ours.width, x, y);
        worst = fmax(worst, d);
        sum += d;
      }
    print_message("sampler, %s: worst difference %.3f, mean %.5f\n", dark ? "dark" : "light", worst,
                  sum / (ours.width * ours.height));
    assert_true(worst < 0.4 && sum / (ours.width * ours.height) < 0.0015);
    bp_free(ctx, svg);
    bp_free(ctx, ours.rgb);
    free(theirs);
  }
  bp_picture_free(p);
}

/* ---- saving, and failing ---- */

static void saved_by_the_end_of_the_name(void **state)
{
  (void)state;
  bp_picture *p;
  assert_int_equal(draw_sampler(ctx, &p), BP_OK);
  static const struct {
    const char *end;
    bp_status want;
    const char *begins;
  } rows[] = {{"a.svg", BP_OK, "<svg"},           {"a.PNG", BP_OK, "\x89PNG"},
              {"a.pdf", BP_E_UNSUPPORTED, NULL},  {"svg", BP_E_UNSUPPORTED, NULL},
              {"a.svg/", BP_E_UNSUPPORTED, NULL}, {"x/a.svg", BP_E_IO, NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char path[64], start[4] = {0};
    snprintf(path, sizeof path, "%s", temporary(rows[i].end));
    assert_int_equal(bp_picture_save(p, false, 1, path), rows[i].want);
    FILE *f = fopen(path, "rb");
    assert_int_equal(f != NULL, rows[i].want == BP_OK);
    if (f) {
      assert_int_equal(fread(start, 1, 4, f), 4);
      assert_memory_equal(start, rows[i].begins, 4);
      fclose(f);
      unlink(path);
    }
  }
  bp_picture_free(p);
}

static void scales_have_limits(void **state)
{
  (void)state;
  bp_picture *p;
  unsigned char *data;
  size_t n;
  assert_int_equal(draw_sampler(ctx, &p), BP_OK);
  const double bad[] = {0, -1, NAN, INFINITY, 1e9, 100};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(bp_picture_png(p, false, bad[i], &data, &n), BP_E_LIMIT);
    assert_null(data);
  }
  assert_int_equal(bp_picture_png(p, false, 1e-9, &data, &n), BP_OK); /* one pixel */
  bp_free(ctx, data);
  assert_int_equal(bp_picture_png(NULL, false, 1, &data, &n), BP_E_ARG);
  bp_picture_free(p);
}

static bp_status draw_and_write(bp_ctx *c)
{
  bp_picture *p = NULL;
  unsigned char *data = NULL;
  size_t n;
  bp_status s = draw_sampler(c, &p);
  if (s == BP_OK)
    s = bp_picture_png(p, false, 0.25, &data, &n);
  bp_free(c, data);
  bp_picture_free(p);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(draw_and_write) > 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_box_covers_what_it_covers),
      cmocka_unit_test(overlap_counts_once),
      cmocka_unit_test(areas_add_up),
      cmocka_unit_test(dashes_are_drawn),
      cmocka_unit_test(wide_bends_have_no_holes),
      cmocka_unit_test(crossings_have_no_holes),
      cmocka_unit_test(any_pixels_read_back),
      cmocka_unit_test(pictures_read_back),
      cmocka_unit_test(looks_as_rsvg_draws_it),
      cmocka_unit_test(saved_by_the_end_of_the_name),
      cmocka_unit_test(scales_have_limits),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, open_ctx, close_ctx);
}
